"""`mayfly receive`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mayfly.errors import UsageError
from mayfly_cli import settings, sharing, terminals
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly.runtime.shutdown import Shutdown
    from mayfly_cli import running
    from mayfly_cli.attaching import Desk
    from mayfly_cli.pasting import Lines

HELP = (
    "Receive what somebody sends: asked first, or with --yes.\n\n"
    "Through the relay or client that runs here, from whoever is connected to it. With a sender's CODE, or where none "
    "runs, prints the answer to send back. Everything is checked while it comes and stands under its name only when it "
    "is complete. A transfer that was interrupted goes on where it was."
)

_FILES = "What becomes of it"


def receive(
    ctx: typer.Context,
    *,
    code: Annotated[
        str | None,
        typer.Argument(
            metavar="CODE",
            help="The sender's code, to answer it; - reads it from standard input, as does a command that finds no "
            "program running.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="DIR",
            help="Store it in this directory; - writes one file to standard output. A text is shown instead. Default: "
            "the current directory.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take the first offer without asking.", rich_help_panel=_FILES)
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files of the same name.", rich_help_panel=_FILES)
    ] = False,
    session: sharing.Session = None,
    alone: sharing.Alone = False,
    offer: Annotated[
        bool,
        typer.Option(
            "--offer",
            help="Make a code for `mayfly send --code`, instead of answering one.",
            rich_help_panel=sharing.WHICH,
        ),
    ] = False,
    codes: sharing.Codes = None,
    nick: sharing.OwnNick = None,
    bind: settings.Bind = None,
    stun: settings.Stun = None,
    turn: settings.Turn = None,
    ip_policy: settings.Policy = None,
    dtls_role: settings.Role = None,
    engine: settings.EngineName = None,
    ordered: settings.Ordered = False,
    json: settings.JsonFlag = False,
    config: settings.Config = None,
    loop: settings.LoopName = None,
    unsafe_logging: settings.UnsafeLogging = False,
    verbose: settings.Verbose = False,
) -> None:
    """The command: options in, exit code out."""
    from mayfly_cli import attaching, running  # noqa: PLC0415 - `mayfly --help` must not pay for it

    values = Values(ctx)

    def body(teller: running.Teller) -> int:
        if offer and code is not None:
            raise settings.exclude_each_other("--offer", "a CODE")
        members = place(values)
        attach = attaching.session(values, code=code, offer=offer)
        if not (yes or json or terminals.can_ask()):
            raise UsageError(
                "There is no terminal on which it could be asked whether to take it.",
                hint="--yes takes it without asking.",
            )

        async def work(desk: Desk, lines: Lines, shutdown: Shutdown) -> int:
            from mayfly_cli.taking import Taking  # noqa: PLC0415

            return await Taking(desk, teller, lines, shutdown, members, yes=yes).run()

        source = attaching.codes_descriptor(values, attach)
        wanted = None if offer else code or settings.FROM_INPUT
        return attaching.run(values, teller, work, attach=attach, code=wanted, codes_from=source)

    running.answer("receive", values, body, aside=into == "-")


def place(values: Values) -> dict[str, Any]:
    """The members of an `accept` request that say where and how. Raises UsageError."""
    into = str(values.raw("into") or ".")
    members: dict[str, Any] = {"overwrite": True} if values.raw("overwrite") else {}
    if into == "-":
        return {**members, "fds": [1]}
    return {**members, "into": str(values.converted("into", into, sharing.directory))}
