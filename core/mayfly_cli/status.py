"""`mayfly status`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mayfly_cli import settings, sharing
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly_cli import running

HELP = (
    "Show what runs here: who is connected, and how.\n\n"
    "Names each program, who is connected to it, by which way and with how much traffic, the chat, and the transfers "
    "that are under way."
)


def status(
    ctx: typer.Context,
    *,
    session: Annotated[
        str | None,
        typer.Option(
            "--session",
            metavar="NAME",
            help="Show this running program alone. Default: all that run.",
            rich_help_panel=sharing.WHICH,
        ),
    ] = None,
    json: settings.JsonOutput = False,
    verbose: settings.Verbose = False,
) -> None:
    """The command: options in, exit code out."""
    from mayfly_cli import loop, running  # noqa: PLC0415 - `mayfly --help` must not pay for it

    def body(teller: running.Teller) -> int:
        return loop.run(show(session, teller), "asyncio")

    running.answer("status", Values(ctx), body)


async def show(session: str | None, teller: running.Teller) -> int:
    """Report the status of one program, or of each. Raises NoSessionError, ControlError."""
    from mayfly.runtime import control_socket  # noqa: PLC0415
    from mayfly.runtime.control_client import ControlClient  # noqa: PLC0415
    from mayfly.runtime.events import Status  # noqa: PLC0415
    from mayfly_cli.relayed import made  # noqa: PLC0415

    found: list[str | None] = [session]
    if session is None:
        found = [*control_socket.running(control_socket.default_directory())] or [None]  # None: tells why there is none
    for name in found:
        async with await ControlClient.attach(name) as client:
            teller.report(made(Status, (await client.request("status"))["status"]))
    return 0
