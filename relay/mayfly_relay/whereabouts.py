"""The addresses at which the relay is seen from outside, found out again from time to time.

Each code tells them. A relay whose seats are taken makes none, and its router may be given another address meanwhile,
at which a client would reach the router from inside. What the client's own end of a link says of it (the mapped
address in its answers to our checks) would be a malicious client's word, and so is not asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from mayfly.errors import MayflyError
from mayfly.signaling.description import Description
from mayfly.transport.base import Engine, LinkSettings

INTERVAL = 60.0
"""Seconds between two looks, as between two at the interfaces."""


async def watch(
    engine: Engine, link: LinkSettings, learn: Callable[[Description], None], *, needed: Callable[[], bool]
) -> None:
    """At each interval, while `needed`, make an offer for nobody and tell what it discloses. Does not end.

    STUN servers are asked, as for a code; where none may be, there is nothing to learn, and TURN servers never are.
    """
    while True:
        await asyncio.sleep(INTERVAL)
        if needed() and link.stun:
            # The network is away, or clients' connections have used up the descriptors: the next look tells.
            with contextlib.suppress(MayflyError, OSError):
                pending = await engine.offer(replace(link, turn=()))
                learn(pending.description)
                await pending.close()
