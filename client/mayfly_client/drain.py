"""How a client leaves: it takes nothing new, tells its relays, and lets what is open finish."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from mayfly.runtime.events import Draining
from mayfly.runtime.session import Session
from mayfly.runtime.tasks import first_of
from mayfly.services.hub import Hub
from mayfly_client.listener import ProxyListener


def begin(listener: ProxyListener, hub: Hub, sessions: Sequence[Session], grace: float) -> None:
    """Start nothing new from now on, and say so to those at the other ends, who get `grace` seconds."""
    listener.stop_accepting()
    hub.report(Draining(listener.connections + hub.transfers.count, grace if sessions else 0.0))
    hub.drain()
    for session in sessions:
        session.go_away(grace, "the client is leaving")


async def finish(listener: ProxyListener, hub: Hub, grace: float, *sooner: Coroutine[Any, Any, object]) -> None:
    """Until the applications and the transfers are done, one of `sooner` is, or the grace period is over."""
    await first_of(_done(listener, hub), asyncio.sleep(grace), *sooner)
    await hub.settle()


async def _done(listener: ProxyListener, hub: Hub) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(listener.drain())
        group.create_task(hub.wait_idle())
