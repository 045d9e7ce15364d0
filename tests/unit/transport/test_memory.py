"""Memory links behave as base.Link says, on a clock that tests can rely on: only order and counts are asserted."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from mayfly.sctp.endings import CLOSED
from mayfly.transport.base import Link
from mayfly.transport.memory import CUT, MemoryLink, MemoryPath, memory_links


class End:
    """What one end hears."""

    def __init__(self, link: MemoryLink) -> None:
        self.link: Link = link
        self.messages: list[bytes] = []
        self.lost: list[str] = []
        self.room = 0
        self.changed = asyncio.Event()
        link.start(self._message, self._writable, self._lost)

    def _message(self, message: bytes) -> None:
        self.messages.append(message)
        self.changed.set()

    def _writable(self) -> None:
        self.room += 1
        self.changed.set()

    def _lost(self, reason: str) -> None:
        self.lost.append(reason)
        self.changed.set()

    async def until(self, messages: int = 0, lost: int = 0, room: int = 0) -> None:
        async with asyncio.timeout(5):
            while len(self.messages) < messages or len(self.lost) < lost or self.room < room:
                self.changed.clear()
                await self.changed.wait()


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def pair(path: MemoryPath | None = None, seed: int | None = None) -> tuple[End, End]:
    left, right = memory_links(path, random=None if seed is None else Random(seed))
    return End(left), End(right)


async def test_messages_pass_both_ways_in_order_and_never_from_inside_send() -> None:
    left, right = pair()
    sent = [bytes([n]) for n in range(100)]
    for message in sent:
        left.link.send(message)
        right.link.send(message)
    assert right.messages == []
    await turns()
    assert left.messages == right.messages == sent
    assert (left.link.offerer, right.link.offerer) == (True, False)


async def test_path_counts_bytes() -> None:
    left, right = pair(MemoryPath(latency=0.01))
    left.link.send(b"12345")
    await right.until(messages=1)
    assert left.link.path().bytes_sent == right.link.path().bytes_received == 5
    assert left.link.path().round_trip == pytest.approx(0.02)


async def test_latency_delays_and_keeps_the_order() -> None:
    left, right = pair(MemoryPath(latency=0.02))
    loop = asyncio.get_running_loop()
    begin = loop.time()
    left.link.send(b"1")
    left.link.send(b"2")
    await right.until(messages=2)
    assert loop.time() - begin >= 0.019
    assert right.messages == [b"1", b"2"]


async def test_bandwidth_fills_the_buffer_and_room_is_told_at_half() -> None:
    left, right = pair(MemoryPath(bandwidth=1_000_000, high_water=20_000))
    for _ in range(20):
        left.link.send(bytes(1000))
    assert left.link.buffered_amount == 20_000
    levels: list[int] = []
    left.link.path()
    await left.until(room=1)
    levels.append(left.link.buffered_amount)
    assert levels == [10_000]
    await right.until(messages=20)
    assert left.room == 1
    assert left.link.buffered_amount == 0


async def test_reordering_loses_and_doubles_nothing_and_repeats_with_its_seed() -> None:
    sent = [n.to_bytes(2, "big") for n in range(200)]
    orders: list[list[bytes]] = []
    for _ in range(2):
        left, right = pair(MemoryPath(reorder=8), seed=7)
        for message in sent:
            left.link.send(message)
        await turns()
        assert sorted(right.messages) == sent
        orders.append(right.messages)
    assert orders[0] == orders[1] != sent


async def test_reordering_without_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="random"):
        memory_links(MemoryPath(reorder=2))


async def test_close_delivers_what_was_sent_and_tells_the_far_end_alone() -> None:
    left, right = pair(MemoryPath(reorder=4, latency=0.001), seed=1)
    for n in range(10):
        left.link.send(bytes([n]))
    await left.link.close()
    await left.link.close()
    left.link.send(b"after")
    right.link.send(b"on its way to a closed end")
    await right.until(messages=10, lost=1)
    assert len(right.messages) == 10 and right.lost == [CLOSED]
    right.link.send(b"nobody")
    await right.link.close()
    await turns()
    assert left.lost == [] and left.messages == []


async def test_cut_reaches_both_ends_and_drops_what_is_under_way() -> None:
    left, right = pair()
    left.link.send(b"lost")
    assert isinstance(left.link, MemoryLink)
    left.link.cut()
    await turns()
    assert left.lost == right.lost == [CUT]
    assert left.messages == right.messages == []


async def test_cut_of_one_end_leaves_the_other_in_the_dark() -> None:
    left, right = pair()
    assert isinstance(left.link, MemoryLink)
    left.link.cut("gone", both=False)
    right.link.send(b"x")
    await turns()
    assert left.lost == ["gone"] and right.lost == []
    assert right.link.buffered_amount == 0


async def test_silence_swallows_both_directions_without_a_word() -> None:
    left, right = pair()
    assert isinstance(left.link, MemoryLink)
    left.link.silence()
    left.link.send(b"x")
    right.link.send(b"x")
    await turns()
    await left.link.close()
    await turns()
    assert (left.messages, right.messages, left.lost, right.lost) == ([], [], [], [])


async def test_an_oversized_message_is_our_own_mistake() -> None:
    left, _right = pair(MemoryPath(max_message=10))
    with pytest.raises(ValueError, match="max_message"):
        left.link.send(bytes(11))
