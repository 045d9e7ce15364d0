"""`mayfly stop`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mayfly_cli import settings, sharing
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly_cli import running

HELP = (
    "Make a running program leave.\n\n"
    "As Ctrl-C there would: nothing new starts, and what is open may finish. Returns when it has gone."
)


def stop(
    ctx: typer.Context,
    *,
    session: sharing.Session = None,
    now: Annotated[
        bool,
        typer.Option("--now", help="End everything at once, as a second Ctrl-C would.", rich_help_panel=sharing.WHICH),
    ] = False,
    json: settings.JsonOutput = False,
    verbose: settings.Verbose = False,
) -> None:
    """The command: options in, exit code out."""
    from mayfly_cli import loop, running  # noqa: PLC0415 - `mayfly --help` must not pay for it

    def body(teller: running.Teller) -> int:
        return loop.run(leave(session, teller, now=now), "asyncio")

    running.answer("stop", Values(ctx), body)


async def leave(session: str | None, teller: running.Teller, *, now: bool) -> int:
    """Ask it to leave, and tell what it says until it has. Raises NoSessionError, ControlError."""
    from mayfly_cli.attaching import attached  # noqa: PLC0415
    from mayfly_cli.relayed import event_of  # noqa: PLC0415

    async with attached(session, teller) as client:
        await client.request("stop", now=now)
        while (message := await client.event()) is not None:
            event = event_of(message)
            if event is not None:
                teller.report(event)
    return 0
