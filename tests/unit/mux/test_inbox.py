"""Received bytes: counted once, consumed once, credited on consumption and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.config import KIB, MuxConfig
from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.mux.events import DatagramReceived, Priority
from mayfly.mux.inbox import Inbox
from mayfly.mux.liveness import Liveness
from mayfly.mux.outbox import Outbox
from mayfly.mux.send import SendPool
from mayfly.mux.states import Receive
from mayfly.mux.stream import MuxStream
from mayfly.wire import frames as f

CONFIG = replace(
    MuxConfig(),
    initial_connection_window=16 * KIB,
    max_connection_window=64 * KIB,
    initial_stream_window=8 * KIB,
    max_stream_window=8 * KIB,
    max_gaps=3,
    report_delay=0.0,  # the clock of these tests stands still
)


class Desk:
    """An inbox with its outbox."""

    def __init__(self, config: MuxConfig = CONFIG) -> None:
        liveness = Liveness(config, 0.0)
        self.outbox = Outbox(config, liveness)
        self.inbox = Inbox(config, self.outbox, liveness)

    def stream(self, number: int = 0) -> MuxStream:
        """An open stream."""
        made = MuxStream(number, Priority.BULK, SendPool(MuxConfig()), 0, CONFIG.initial_stream_window)
        self.inbox.opened(made)
        return made

    def said(self) -> list[f.Frame]:
        """What goes to the peer now."""
        return [frame for message, _ in self.outbox.messages(1 << 20, 0.0) for frame in f.decode_message(message)]


def test_credit_is_said_when_it_is_worth_it() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.said()
    assert desk.inbox.data(stream, 0, bytes(8 * KIB), fin=False)
    desk.inbox.read(stream, 100, 1.0)
    assert desk.said() == []
    desk.inbox.read(stream, 4 * KIB, 1.0)
    kinds = [type(frame) for frame in desk.said()]
    assert sorted(kinds, key=str) == [f.MaxDataFrame, f.MaxStreamDataFrame]


def test_what_is_refused_gives_its_credit_back_to_the_connection() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.said()
    assert desk.inbox.data(stream, 0, bytes(8 * KIB), fin=False)
    assert desk.said() == []
    desk.inbox.stop(stream)
    assert [type(frame) for frame in desk.said()] == [f.MaxDataFrame]


def test_bytes_that_are_late_delay_their_own_stream_alone() -> None:
    desk = Desk()
    one, other = desk.stream(0), desk.stream(2)
    assert not desk.inbox.data(one, 4, b"late", fin=False)
    assert desk.inbox.data(other, 0, b"here", fin=False)
    assert (desk.inbox.read(one, 99, 1.0), desk.inbox.read(other, 99, 1.0)) == (b"", b"here")
    assert desk.inbox.data(one, 0, b"the ", fin=False)
    assert desk.inbox.read(one, 99, 1.0) == b"the late"


def test_receiving_gives_no_credit_and_reading_does() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.said()
    assert desk.inbox.data(stream, 0, bytes(8 * KIB), fin=False)
    assert desk.inbox.unread == 8 * KIB
    assert desk.said() == []
    assert len(desk.inbox.read(stream, 2 * KIB, 1.0)) == 2 * KIB
    assert desk.inbox.unread == 6 * KIB
    assert f.MaxStreamDataFrame(0, 10 * KIB, 8 * KIB) in desk.said()


def test_the_session_s_credit_covers_the_open_streams() -> None:
    desk = Desk()
    for number in range(4):
        desk.stream(2 * number)
    assert desk.said() == [f.MaxDataFrame(16 * KIB + 4 * 8 * KIB)]


def test_the_credit_of_a_head_start_goes_out_with_the_first_that_is_returned() -> None:
    desk = Desk(replace(CONFIG, max_stream_window=64 * KIB, max_connection_window=256 * KIB))
    first = desk.stream()
    desk.inbox.data(first, 0, bytes(8 * KIB), fin=False)
    desk.inbox.read(first, 8 * KIB, 1.0)
    assert first.window.size == 32 * KIB
    desk.said()
    later = desk.stream(2)
    start = later.window.size
    assert start == (8 + (96 - 48 - 24) // 2) * KIB
    desk.said()
    desk.inbox.data(later, 0, b"answer", fin=False)
    desk.inbox.read(later, 8 * KIB, 2.0)
    assert f.MaxStreamDataFrame(2, start + 6, 6) in desk.said()
    for stream in (first, later):
        desk.inbox.closed(stream)
    assert desk.inbox._window.grown == desk.inbox._window.streams_total == 0


def test_bytes_that_come_twice_count_once() -> None:
    desk = Desk()
    stream = desk.stream()
    assert desk.inbox.data(stream, 0, bytes(100), fin=False)
    assert not desk.inbox.data(stream, 0, bytes(100), fin=False)
    assert not desk.inbox.data(stream, 200, bytes(100), fin=False)
    assert desk.inbox.unread == 300
    assert desk.inbox.data(stream, 50, bytes(200), fin=False)
    assert desk.inbox.unread == 300
    assert desk.inbox.read(stream, 1 << 20, 0.0) == bytes(300)
    assert desk.inbox.unread == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_end_is_told_once_and_reported_to_the_sender(order: tuple[int, ...]) -> None:
    desk = Desk()
    stream = desk.stream()
    desk.said()
    frames = [(0, b"abc", False), (3, b"def", False), (6, b"", True)]
    told = [desk.inbox.data(stream, *frames[number]) for number in order]
    assert told[-1]
    assert not desk.inbox.data(stream, 6, b"", fin=True)
    assert desk.inbox.read(stream, 5, 0.0) == b"abcde"
    assert desk.said() == []
    assert desk.inbox.read(stream, 5, 0.0) == b"f"
    assert stream.receive is Receive.READ
    assert desk.said() == [f.MaxStreamDataFrame(0, 8 * KIB + 6, 7)]  # six bytes and the end


@pytest.mark.parametrize("how", ["reset", "stop", "stop, then the end", "the end, then stop"])
def test_what_is_dropped_is_consumed(how: str) -> None:
    desk = Desk()
    stream = desk.stream()
    desk.inbox.data(stream, 0, bytes(1000), fin=False)
    desk.inbox.data(stream, 2000, bytes(1000), fin=False)
    if how == "reset":
        assert desk.inbox.reset(stream, 4000)
    elif how == "the end, then stop":
        desk.inbox.data(stream, 4000, b"", fin=True)
        desk.inbox.stop(stream)
    else:
        desk.inbox.stop(stream)
        assert desk.inbox.unread == 0
        if how == "stop, then the end":
            assert not desk.inbox.data(stream, 4000, b"", fin=True)
        else:
            assert not desk.inbox.data(stream, 3000, bytes(1000), fin=False)
    assert desk.inbox.unread == 0
    assert not desk.inbox.data(stream, 1000, bytes(1000), fin=False)  # late, and of no account
    assert desk.inbox.unread == 0
    reports = [frame.received for frame in desk.said() if isinstance(frame, f.MaxStreamDataFrame)]
    assert reports == ([4001] if "the end" in how else [])  # all of it is dealt with, so the sender may forget it
    more = desk.stream(2)
    for number in range(3):
        desk.inbox.data(more, 2 * number + 1, b"x", fin=False)  # the dropped gaps count no more


def test_an_end_behind_bytes_that_were_read_is_reported_when_it_comes() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.inbox.data(stream, 0, b"abc", fin=False)
    desk.inbox.read(stream, 9, 0.0)
    desk.said()
    assert desk.inbox.data(stream, 3, b"", fin=True)
    assert desk.said() == [f.MaxStreamDataFrame(0, 8 * KIB + 3, 4)]
    assert desk.inbox.read(stream, 9, 0.0) == b""
    assert desk.said() == []


def test_gaps_are_counted_over_all_streams() -> None:
    desk = Desk()
    streams = [desk.stream(2 * number) for number in range(4)]
    for stream in streams[:3]:
        desk.inbox.data(stream, 5, b"x", fin=False)
    desk.inbox.data(streams[0], 0, b"12345", fin=False)
    desk.inbox.data(streams[3], 5, b"x", fin=False)
    with pytest.raises(RemoteProtocolError) as caught:
        desk.inbox.data(streams[3], 9, b"x", fin=False)
    assert caught.value.code is ErrorCode.TOO_MANY_GAPS


def test_a_stream_that_closes_takes_its_window_along() -> None:
    desk = Desk()
    desk.said()
    for number in range(100):
        stream = desk.stream(2 * number)
        desk.inbox.data(stream, 0, bytes(3000), fin=True)
        assert len(desk.inbox.read(stream, 9999, 0.0)) == 3000
        desk.inbox.closed(stream)
    limits = [frame.limit for frame in desk.said() if isinstance(frame, f.MaxDataFrame)]
    assert limits
    assert max(limits) <= 300_000 + CONFIG.initial_connection_window + CONFIG.initial_stream_window


def test_a_reset_behind_everything_takes_nothing_away() -> None:
    desk = Desk()
    stream = desk.stream()
    assert desk.inbox.data(stream, 0, b"whole", fin=True)
    assert not desk.inbox.reset(stream, 5)
    assert stream.receive is Receive.COMPLETE
    assert desk.inbox.read(stream, 100, 1.0) == b"whole"


def test_a_reset_of_a_stopped_half_tells_nobody() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.inbox.stop(stream)
    assert not desk.inbox.reset(stream, 10)
    assert stream.receive is Receive.RESET


def test_a_reset_that_comes_twice_is_told_once() -> None:
    desk = Desk()
    stream = desk.stream()
    assert desk.inbox.reset(stream, 10)
    assert not desk.inbox.reset(stream, 10)


def test_who_wants_no_more_of_what_was_read_says_nothing_more() -> None:
    desk = Desk()
    stream = desk.stream()
    desk.inbox.data(stream, 0, b"whole", fin=True)
    desk.inbox.read(stream, 100, 1.0)
    desk.said()
    desk.inbox.stop(stream)
    assert desk.said() == []


def test_the_session_s_credit_may_be_used_to_its_last_byte() -> None:
    desk = Desk()
    streams = [desk.stream(2 * number) for number in range(9)]
    assert desk.said() == [f.MaxDataFrame(64 * KIB)]
    for stream in streams[:8]:
        assert desk.inbox.data(stream, 0, bytes(8 * KIB), fin=False)
    with pytest.raises(RemoteProtocolError) as caught:
        desk.inbox.data(streams[8], 0, b"x", fin=False)
    assert caught.value.code is ErrorCode.FLOW_CONTROL_ERROR


def test_datagrams() -> None:
    desk = Desk()
    stream = desk.stream()
    for data in (b"x", bytes(CONFIG.max_datagram)):
        assert desk.inbox.datagram(stream, data) == [DatagramReceived(0, data)]
    with pytest.raises(RemoteProtocolError):
        desk.inbox.datagram(stream, bytes(CONFIG.max_datagram + 1))
    desk.inbox.stop(stream)
    assert desk.inbox.datagram(stream, b"x") == []
