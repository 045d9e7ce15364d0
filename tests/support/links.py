"""Two real links in one process, and what their ends hear."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from mayfly.transport.base import Engine, Link, LinkSettings
from mayfly.transport.engines import make_engine
from support.news import News

LOOPBACK = LinkSettings(bind=(ip_address("127.0.0.1"),))

_native = pytest.mark.needs("root", "ip", "wrtc")
MIXED = [pytest.param(*pair, marks=_native) for pair in (("wrtc", "wrtc"), ("aiortc", "wrtc"), ("wrtc", "aiortc"))]
"""Pairs of engines, the offerer's first, of which one at least is libwebrtc. They want `own_network`."""
PAIRS = [pytest.param("aiortc", "aiortc"), *MIXED]


def ours_to_theirs(*, stock: str) -> pytest.MarkDecorator:
    """Each engine of ours before a foreign far end, in both roles; aiortc as it comes in one alone."""
    wrtc = pytest.mark.needs("wrtc")
    return pytest.mark.parametrize(
        ("engine", "ours"),
        [
            *(("aiortc", "offer"), ("aiortc", "answer"), ("aiortc-stock", stock)),
            *(pytest.param("wrtc", ours, marks=wrtc) for ours in ("offer", "answer")),
        ],
    )


class End:
    """Records what a link tells, and lets a test wait for it."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.messages: list[bytes] = []
        self.lost: list[str] = []
        self.room = asyncio.Event()
        self._news = News()
        link.start(self._receive, self.room.set, self._lost)

    def _receive(self, message: bytes) -> None:
        self.messages.append(message)
        self._news.ring()

    def _lost(self, reason: str) -> None:
        self.lost.append(reason)
        self._news.ring()

    async def until(self, *, messages: int = 0, lost: int = 0, within: float = 30.0) -> None:
        """Wait until at least so many have come. Raises TimeoutError."""
        await self._news.until(lambda: len(self.messages) >= messages and len(self.lost) >= lost, within)


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


def settings_of(engine: str, /, **changes: object) -> LinkSettings:
    """Loopback: aiortc is told so, libwebrtc finds nothing else in its own network."""
    return replace(LinkSettings() if engine == "wrtc" else LOOPBACK, **changes)  # type: ignore[arg-type]


async def linked(offers: str, answers: str, **changes: object) -> tuple[Link, Link]:
    """The offerer's link and the answerer's, by the names of their engines."""
    near, far = settings_of(offers, **changes), settings_of(answers, **changes)
    return await connect(make_engine(offers), near, far, far_engine=make_engine(answers))


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
