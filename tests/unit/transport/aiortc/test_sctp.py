"""The driver: one timer, one flush a turn of the loop, and what the link is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import cast

import pytest

from mayfly.config import EngineConfig
from mayfly.sctp import endings
from mayfly.transport.aiortc.dtls import LinkDtls
from mayfly.transport.aiortc.sctp import LinkSctp
from support.news import News


class Dtls:
    """Hands packets to the opposite one in the loop's next turn, or loses them."""

    def __init__(self) -> None:
        self.other: Dtls | None = None
        self.receive: Callable[[list[bytes]], None] | None = None
        self.batches: list[int] = []
        self.broken = False
        self.losing = False
        self.fragmenting = False

    def send_packets(self, packets: Sequence[bytes]) -> None:
        if self.broken:
            raise ConnectionError
        self.batches.append(len(packets))
        if not self.losing:
            asyncio.get_running_loop().call_soon(self._carry, list(packets))

    def let_fragment(self) -> None:
        self.fragmenting = True

    def deliver_to(self, receive: Callable[[list[bytes]], None]) -> None:
        self.receive = receive

    def _carry(self, packets: list[bytes]) -> None:
        if self.other is not None and self.other.receive is not None:
            self.other.receive(packets)


class End:
    """Listens, as a link does."""

    def __init__(self, limits: EngineConfig) -> None:
        self.dtls = Dtls()
        self.sctp = LinkSctp(cast(LinkDtls, self.dtls), self, limits, ordered=False)
        self.messages: list[bytes] = []
        self.reasons: list[str] = []
        self.open = asyncio.Event()
        self.news = News()
        self.unread = 0
        self.taking = True

    def opened(self) -> None:
        self.open.set()

    def received(self, message: bytes) -> None:
        self.messages.append(message)
        self.unread += 0 if self.taking else len(message)
        self.news.ring()

    def progressed(self) -> None:
        self.news.ring()

    def acknowledged(self) -> None:
        self.news.ring()

    def failed(self, reason: str) -> None:
        self.reasons.append(reason)
        self.news.ring()


Pair = tuple[End, End]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    left, right = End(EngineConfig()), End(EngineConfig())
    left.dtls.other, right.dtls.other = right.dtls, left.dtls
    await left.sctp.open()
    await right.sctp.open()
    async with asyncio.timeout(10):
        await left.open.wait()
        await right.open.wait()
    left.sctp.start_reading()
    right.sctp.start_reading()
    yield left, right
    await left.sctp.stop()
    await right.sctp.stop()


async def test_messages_both_ways(pair: Pair) -> None:
    left, right = pair
    left.sctp.send_message(bytes(100_000))
    right.sctp.send_message(b"")
    assert left.sctp.unsent == 100_000 and left.sctp.unacknowledged
    await left.news.until(lambda: not left.sctp.unacknowledged)
    await right.news.until(lambda: not right.sctp.unacknowledged)
    assert (left.messages, right.messages) == ([b""], [bytes(100_000)])
    assert left.sctp.unsent == 0 and left.sctp.round_trip is not None


async def test_what_is_sent_in_one_turn_leaves_in_one_batch(pair: Pair) -> None:
    left, _ = pair
    await left.news.until(lambda: not left.sctp.unacknowledged)
    left.dtls.batches.clear()
    for _ in range(9):
        left.sctp.send_message(bytes(1000))
    assert left.dtls.batches == []
    await left.news.until(lambda: bool(left.dtls.batches))
    assert left.sctp.unsent == 0 and len(left.dtls.batches) == 1, "its packets are as large as the path allows by now"


async def test_what_is_flushed_leaves_at_once_and_once(pair: Pair) -> None:
    left, right = pair
    await left.news.until(lambda: not left.sctp.unacknowledged)
    left.dtls.batches.clear()
    left.sctp.send_message(b"x")
    left.sctp.flush()
    assert left.dtls.batches == [1]
    await right.news.until(lambda: bool(right.messages))
    assert left.dtls.batches == [1]


@pytest.mark.parametrize(("size", "waits"), [(100, True), (60_000, False)])
async def test_what_came_alone_has_a_turn_for_an_answer_to_take_along_what_it_asks_for(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, size: int, waits: bool
) -> None:
    left, right = pair
    left.sctp.send_message(b"first")  # behind what the opening still has to say
    await left.news.until(lambda: not left.sctp.unacknowledged)
    right.messages.clear()
    asked: list[float] = []
    ask = right.sctp._association.packets_to_send

    def note(now: float) -> list[bytes]:
        asked.append(now)
        return ask(now)

    monkeypatch.setattr(right.sctp._association, "packets_to_send", note)
    left.sctp.send_message(bytes(size))
    left.sctp.flush()
    while not right.messages:
        assert asked == []
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert bool(asked) is not waits
    right.sctp.send_message(b"answer")
    right.sctp.flush()
    assert len(asked) == (1 if waits else 2)


async def test_a_timer_sends_again_what_was_lost(pair: Pair) -> None:
    left, right = pair
    left.dtls.losing = True
    left.sctp.send_message(b"x")
    await left.news.until(lambda: bool(left.sctp.unacknowledged))
    left.dtls.losing = False
    await left.news.until(lambda: not left.sctp.unacknowledged)
    assert right.messages == [b"x"]


async def test_stopping_tells_the_far_end_and_leaves_no_timer(pair: Pair) -> None:
    left, right = pair
    left.sctp.send_message(bytes(50_000))
    await left.sctp.stop()
    await right.news.until(lambda: bool(right.reasons))
    assert right.reasons == [endings.CLOSED] and left.reasons == []
    assert left.sctp._timer is None and right.sctp._timer is None
    batches = len(left.dtls.batches)
    left.sctp.send_message(b"too late")
    await asyncio.sleep(0)
    assert len(left.dtls.batches) == batches


async def test_a_path_that_is_gone_is_told_and_raises_nothing(pair: Pair) -> None:
    left, _ = pair
    left.dtls.broken = True
    left.sctp.send_message(b"x")
    await left.news.until(lambda: bool(left.reasons))
    assert left.reasons == [endings.SEND_FAILED] and left.sctp._timer is None


async def test_a_far_end_that_breaks_the_rules_is_told_once(pair: Pair) -> None:
    left, right = pair
    tag = left.sctp._association._headers._incoming
    left.sctp._receive([tag.seal(b"\x04\0\0\x08\0\0\0\0")])
    await left.news.until(lambda: bool(left.reasons))
    await right.news.until(lambda: bool(right.reasons))
    left.sctp._receive([tag.seal(b"\x04\0\0\x08\0\0\0\0")])
    await asyncio.sleep(0)
    assert (left.reasons, right.reasons) == ([endings.MALFORMED], [endings.CLOSED])


async def test_until_somebody_reads_the_window_is_what_is_kept_early() -> None:
    limits = EngineConfig(max_early=64 * 1024)
    left, right = End(limits), End(limits)
    left.dtls.other, right.dtls.other = right.dtls, left.dtls
    right.taking = False
    await left.sctp.open()
    await right.sctp.open()
    async with asyncio.timeout(10):
        await left.open.wait()
    for _ in range(20):
        left.sctp.send_message(bytes(8000))
    await left.news.until(lambda: right.unread >= 24_000)
    assert right.unread <= limits.max_early
    right.taking, right.unread = True, 0
    right.sctp.start_reading()
    await left.news.until(lambda: not left.sctp.unacknowledged)
    assert len(right.messages) == 20
    await left.sctp.stop()
    await right.sctp.stop()


async def test_chunks_that_became_too_large_may_be_fragmented(pair: Pair) -> None:
    left, right = pair
    left.dtls.losing = True
    left.sctp.send_message(bytes(20_000))
    await left.news.until(lambda: left.sctp.unsent == 0)
    sender = left.sctp._association._sender
    sender.set_mtu(500)
    left.dtls.losing = False
    await left.news.until(lambda: not left.sctp.unacknowledged)
    assert right.messages == [bytes(20_000)]
    fragmenting: bool = left.dtls.fragmenting
    assert fragmenting
