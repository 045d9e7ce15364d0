"""One session's chat: bytes in and out, and the pace at which they are read."""

from __future__ import annotations

import pytest

from mayfly.chat.fates import Fate
from mayfly.chat.line import FORWARDER_FACTOR, Line
from mayfly.chat.records import ChatError, Half, Joins, Receipt
from mayfly.config import KIB, ChatConfig

SLOW = ChatConfig(record_rate=1, record_burst=2)


def test_what_is_written_is_taken_in_pieces() -> None:
    line = Line(1, ChatConfig())
    assert not line.write(Half.SAY, Joins("ann"))
    assert line.queued(Half.SAY) == 6 and line.queued(Half.BACK) == 0
    assert line.take(Half.SAY, 4) + line.take(Half.SAY, 100) == Joins("ann").encode()
    assert line.take(Half.SAY, 4) == b""


def test_a_queue_that_is_too_long_is_told() -> None:
    line = Line(1, ChatConfig(max_queue=20 * KIB, max_waiting=4, max_share=4, max_waiting_bytes=16 * KIB))
    count = 0
    while not line.write(Half.BACK, Joins("x" * 60)):
        count += 1
    assert count == 20 * KIB // 63


def test_only_what_the_peer_says_is_paced() -> None:
    line = Line(1, SLOW)
    receipt = Receipt(bytes(16), 1, "ann", Fate.DELIVERED)
    line.feed(Half.SAY, Joins("ann").encode() * 3)
    line.feed(Half.BACK, receipt.encode() * 3)
    assert [line.read(Half.BACK, 0.0) for _ in range(4)] == [receipt] * 3 + [None]
    assert [line.read(Half.SAY, 0.0) for _ in range(3)] == [Joins("ann"), Joins("ann"), None]
    assert line.wait(0.0) == pytest.approx(1)
    assert line.read(Half.SAY, 1.0) == Joins("ann")


def test_unknown_records_cost_their_bytes() -> None:
    line = Line(1, ChatConfig(byte_rate=1, byte_burst=10))
    line.feed(Half.SAY, b"\x3f\x00" * 20)
    assert line.read(Half.SAY, 0.0) is None
    assert line.wait(0.0) == pytest.approx(31)


def test_a_forwarder_is_read_faster() -> None:
    line = Line(1, SLOW)
    line.spoken_for_many()
    line.feed(Half.SAY, Joins("ann").encode() * 30)
    assert sum(line.read(Half.SAY, 0.0) is not None for _ in range(30)) == 2 * FORWARDER_FACTOR


def test_wrong_bytes_are_refused() -> None:
    line = Line(1, SLOW)
    line.feed(Half.SAY, b"\x01\x00")
    with pytest.raises(ChatError):
        line.read(Half.SAY, 0.0)
