"""`mayfly relay newnym`: new circuits for a relay that runs already."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mayfly_cli import running

WORD = "newnym"
"""In the place of a CODE, which always begins with `mf1`."""


def run(session: str | None, teller: running.Teller) -> int:
    """Ask the relay of that name, or the only program that runs. Raises NoSessionError, ControlError."""
    from mayfly_cli import loop  # noqa: PLC0415 - `mayfly --help` must not pay for it

    return loop.run(renew(session, teller), "asyncio")


async def renew(session: str | None, teller: running.Teller) -> int:
    """As `run`, in the loop."""
    from mayfly.runtime.control_client import ControlClient  # noqa: PLC0415
    from mayfly.runtime.events import Renewed  # noqa: PLC0415

    async with await ControlClient.attach(session) as client:
        reply = await client.request("newnym")
        teller.report(Renewed(float(reply["seconds"])))
    return 0
