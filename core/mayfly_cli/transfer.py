"""`mayfly transfer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mayfly.errors import UsageError
from mayfly_cli import settings, sharing
from mayfly_cli.settings import Values

if TYPE_CHECKING:
    from mayfly_cli import running

HELP = (
    "Pause, resume, cancel or decline a transfer.\n\n"
    "One of a running program, in either direction; the other side sees it. A transfer that was cancelled begins anew "
    "when it is sent again."
)

ACTIONS = ("pause", "resume", "cancel", "decline")


def transfer(
    ctx: typer.Context,
    *,
    action: Annotated[str, typer.Argument(metavar="ACTION", help=f"One of {', '.join(ACTIONS)}.", show_default=False)],
    which: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="The transfer's id, or its beginning; `mayfly status` shows it. Needed where there are several.",
            show_default=False,
        ),
    ] = None,
    session: sharing.Session = None,
    json: settings.JsonOutput = False,
    verbose: settings.Verbose = False,
) -> None:
    """The command: options in, exit code out."""
    from mayfly_cli import loop, running  # noqa: PLC0415 - `mayfly --help` must not pay for it

    def body(_: running.Teller) -> int:
        if action not in ACTIONS:
            raise UsageError(
                f"ACTION is not one of {', '.join(ACTIONS)}.", hint="For example: `mayfly transfer pause`."
            )
        return loop.run(change(session, action, which), "asyncio")

    running.answer("transfer", Values(ctx), body)


async def change(session: str | None, action: str, which: str | None) -> int:
    """Ask the program for it. Raises UsageError where the transfer is not clear, NoSessionError, ControlError."""
    from mayfly.runtime.control_client import ControlClient  # noqa: PLC0415

    async with await ControlClient.attach(session) as client:
        status = (await client.request("status"))["status"]
        await client.request(action, transfer=named(status["transfers"], which))
    return 0


def named(transfers: list[dict[str, Any]], which: str | None) -> str:
    """The id of the transfer that is meant, among those of a status. Raises UsageError."""
    identities = {str(entry["transfer"]) for entry in transfers}
    found = [each for each in identities if each.startswith(which or "")]
    if len(found) == 1:
        return found[0]
    if not identities:
        raise UsageError("There is no transfer.", hint="`mayfly status` shows what is under way.")
    raise UsageError(
        "Several transfers have such an id." if found else "No transfer has such an id.",
        hint="`mayfly status` shows them.",
    )
