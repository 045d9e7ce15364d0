"""`mayfly code inspect`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from mayfly_cli import settings
from mayfly_cli.helping import HelpfulCommand, HelpfulGroup
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly.runtime.events import Inspected
    from mayfly_cli import running

app = typer.Typer(cls=HelpfulGroup, no_args_is_help=True)


@app.callback()
def group() -> None:
    """Look into a code without connecting anywhere."""


@app.command("inspect", cls=HelpfulCommand, context_settings={"auto_envvar_prefix": "MAYFLY_CODE_INSPECT"})
def inspect(
    ctx: typer.Context,
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE",
            help="The code, with or without prose around it. Without it, or as -, it is read from standard input.",
            show_default=False,
        ),
    ] = None,
    json: settings.JsonFlag = False,
    verbose: settings.Verbose = False,
) -> None:
    """Show what a code says and which addresses it gives away.

    Also of an expired one. Nothing is connected, and nobody is asked.
    """
    from mayfly_cli import running  # noqa: PLC0415 - `mayfly --help` must not pay for it

    values = Values(ctx)

    def body(teller: running.Teller) -> int:
        text = _read(teller) if code in (None, settings.FROM_INPUT) else str(code)
        teller.report(examine(text, now=time.time(), in_words=not json))
        return 0

    running.answer("code", values, body)


def examine(text: str, *, now: float, in_words: bool) -> Inspected:
    """What the code in a text says; addresses in words for people, or with their candidate type. Raises CodeError."""
    from mayfly.runtime.events import Inspected  # noqa: PLC0415 - `mayfly --help` must not pay for it
    from mayfly.signaling.codes import parse  # noqa: PLC0415
    from mayfly.signaling.disclosure import disclosed, disclosed_types  # noqa: PLC0415

    found = parse(text, wanted=None, now=None)
    description = found.description
    return Inspected(
        kind=description.kind.value,
        expires=found.expires,
        expired=now >= found.expires,
        discloses=tuple((disclosed if in_words else disclosed_types)(description)),
        role=description.setup.value,
    )


def _read(teller: running.Teller) -> str:
    """A code of either kind from standard input. Raises EOFError."""
    from mayfly_cli import loop, running  # noqa: PLC0415

    return loop.run(running.any_code(teller), "asyncio")
