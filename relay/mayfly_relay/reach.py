"""Before anybody is invited: wait until the proxies or the bridge that the volunteer named can be reached.

Nothing is asked of them but whether they let us in: it is a connection that ends at once, to the last of the proxies
through those before it, or to the extended ORPort behind its handshake. So a password that the last proxy wants is
tried by the first client.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from mayfly.errors import UpstreamError

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts; the last one again and again."""


async def wait_reached(
    connect: Callable[[], Awaitable[socket.socket]], failed: Callable[[UpstreamError], None]
) -> None:
    """Return when a connection has come about; `failed` is told of one that has not, once while the reason stays."""
    attempts = 0
    told = ""
    while True:
        try:
            (await connect()).close()
        except UpstreamError as error:
            if error.message != told:
                told = error.message
                failed(error)
        else:
            return
        await asyncio.sleep(PAUSES[min(attempts, len(PAUSES) - 1)])
        attempts += 1
