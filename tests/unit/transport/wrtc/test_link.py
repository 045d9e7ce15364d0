"""How much a link lets wait in libwebrtc, with a channel of its own. The rest: tests/integration/test_links.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mayfly.config import KIB, LinkConfig
from mayfly.transport.base import LinkSettings

pytestmark = pytest.mark.needs("wrtc")


class Channel:
    """Takes all, and lets go of what the test says."""

    ready_state = "open"

    def __init__(self) -> None:
        self.buffered_amount = 0
        self.buffered_amount_low_threshold = 0
        self.handlers: dict[str, Callable[[Any], None]] = {}

    def on(self, name: str, handler: Callable[[Any], None]) -> None:
        self.handlers[name] = handler

    def send(self, message: bytes) -> None:
        self.buffered_amount += len(message)

    def leave(self, size: int) -> None:
        """That much leaves for the network."""
        before = self.buffered_amount
        self.buffered_amount -= min(size, before)
        if self.buffered_amount <= self.buffered_amount_low_threshold < before:
            self.handlers["bufferedamountlow"](None)


class Connection:
    """Only what a link asks before it is used."""

    def __init__(self) -> None:
        self.channel = Channel()

    def on_failed(self, callback: Callable[[], None]) -> None:
        self.failed = callback


class Carrier:
    """A link that is filled whenever it says that there is room, over a path of `rate` bytes a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from mayfly.transport.wrtc.link import WrtcLink

        self.now = 0.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)
        connection: Any = Connection()
        self.channel: Channel = connection.channel
        self.link = WrtcLink(connection, LinkSettings(), offerer=True)
        self.link.start(lambda _message: None, self.fill, lambda _reason: None)

    def fill(self) -> None:
        while self.link.buffered_amount < self.link.high_water:
            self.link.send(bytes(16 * KIB))

    async def carry(self, rate: float, seconds: float) -> None:
        self.fill()
        for _ in range(round(seconds / 0.001)):
            self.now += 0.001
            self.channel.leave(int(rate * 0.001))
            await asyncio.sleep(0)  # the word that there is room comes in the next turn
            await asyncio.sleep(0)


async def test_who_found_no_room_is_told_of_it_though_the_mark_fell(monkeypatch: pytest.MonkeyPatch) -> None:
    carrier = Carrier(monkeypatch)
    await carrier.carry(50_000_000, 1)
    carrier.fill()
    for _ in range(40):  # less than the threshold leaves, and no event comes
        carrier.now += 1
        carrier.channel.buffered_amount = max(carrier.channel.buffered_amount - 4 * KIB, 20 * KIB)
        carrier.link._look_for_room()
    carrier.link.send(bytes(10))
    assert carrier.link.high_water == 32 * KIB
    assert carrier.link._watch.on


async def test_a_slow_path_keeps_little_waiting_and_a_fast_one_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is before every sign of life: at 20 kB/s 256 KiB would take longer than a peer waits for one."""
    carrier = Carrier(monkeypatch)
    assert carrier.link.overruns  # and so its session holds itself back
    await carrier.carry(20_000, 5)
    assert carrier.link.high_water == 32 * KIB
    await carrier.carry(50_000_000, 1)
    assert carrier.link.high_water == LinkConfig().native_high_water
    await carrier.carry(20_000, 30)
    assert carrier.link.high_water == 32 * KIB
    assert carrier.channel.buffered_amount <= 48 * KIB
