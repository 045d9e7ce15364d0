"""A bare link of one of our engines, without multiplexer or tunnel. `python -m bench.peers.link ADDRESS LOOP ENGINE`

ADDRESS is what it binds to; `-` leaves that to an engine that cannot be told.
"""

from __future__ import annotations

import asyncio
import sys
from ipaddress import ip_address
from typing import Any

from bench.peers.pump import Pump, run_on
from mayfly.signaling.description import Kind
from mayfly.signaling.sdp import from_sdp, to_sdp
from mayfly.transport.base import Link, LinkSettings, PendingOffer
from mayfly.transport.engines import make_engine


class LinkChannel:
    """An engine and the one link that it makes."""

    def __init__(self, pump: Pump, address: str, engine: str) -> None:
        self._pump = pump
        self._settings = LinkSettings() if address == "-" else LinkSettings(bind=(ip_address(address),))
        self._engine = make_engine(engine)
        self._offer: PendingOffer | None = None
        self._link: Link | None = None
        self._open = asyncio.Event()
        self._room = asyncio.Event()
        self._waiting: asyncio.Task[None] | None = None

    async def offer(self) -> Any:
        self._offer = await self._engine.offer(self._settings)
        return to_sdp(self._offer.description)

    async def answer(self, offer: Any) -> Any:
        pending = await self._engine.answer(self._settings, from_sdp(offer, Kind.OFFER))

        async def connected() -> None:
            self._start(await pending.connected())

        self._waiting = asyncio.get_running_loop().create_task(connected())
        return to_sdp(pending.description)

    async def accept(self, answer: Any) -> None:
        assert self._offer is not None
        self._start(await self._offer.accept(from_sdp(answer, Kind.ANSWER)))

    def _start(self, link: Link) -> None:
        self._link = link
        link.start(self._pump.received, self._room.set, _lost)
        self._open.set()

    async def opened(self) -> None:
        await self._open.wait()

    def send(self, message: bytes) -> None:
        assert self._link is not None
        self._link.send(message)

    @property
    def full(self) -> bool:
        return self._link is not None and self._link.buffered_amount > self._link.high_water

    async def room(self) -> None:
        self._room.clear()
        await self._room.wait()


def _lost(reason: str) -> None:
    raise RuntimeError(reason)


async def main(address: str, engine: str) -> None:
    """Hold one link until standard input ends."""
    pump = Pump()
    await pump.run(LinkChannel(pump, address, engine))


if __name__ == "__main__":
    run_on(sys.argv[2], main(sys.argv[1], sys.argv[3]))
