"""Two real links in one process, and what their ends hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

from mayfly.transport.base import Engine, Link, LinkSettings

LOOPBACK = LinkSettings(bind=(ip_address("127.0.0.1"),))


class End:
    """Records what a link tells, and lets a test wait for it."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.messages: list[bytes] = []
        self.lost: list[str] = []
        self.room = asyncio.Event()
        self._news = asyncio.Event()
        link.start(self._receive, self.room.set, self._lost)

    def _receive(self, message: bytes) -> None:
        self.messages.append(message)
        self._news.set()

    def _lost(self, reason: str) -> None:
        self.lost.append(reason)
        self._news.set()

    async def until(self, *, messages: int = 0, lost: int = 0, within: float = 30.0) -> None:
        """Wait until at least so many have come. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while len(self.messages) < messages or len(self.lost) < lost:
                self._news.clear()
                await self._news.wait()


async def connect(
    engine: Engine,
    offerer: LinkSettings = LOOPBACK,
    answerer: LinkSettings | None = None,
    *,
    far_engine: Engine | None = None,
) -> tuple[Link, Link]:
    """The offerer's link and the answerer's, their descriptions handed over directly."""
    offer = await engine.offer(offerer)
    answer = await (far_engine or engine).answer(answerer or replace(offerer), offer.description)
    near, far = await asyncio.gather(offer.accept(answer.description), answer.connected())
    return near, far


@asynccontextmanager
async def no_leaks() -> AsyncIterator[None]:
    """Assert that the body leaves no task and no open descriptor behind."""
    tasks, files = asyncio.all_tasks(), _descriptors()
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() - tasks == set()
    assert _descriptors() <= files  # the leavings of a test before this one may be collected meanwhile


def _descriptors() -> int:
    open_files = Path("/proc/self/fd")
    return sum(1 for _ in open_files.iterdir()) if open_files.exists() else 0
