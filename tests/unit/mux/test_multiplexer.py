"""The whole interface: opening, writing, ending, draining, closing, and the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.config import KIB, MuxConfig
from mayfly.errors import ErrorCode, LocalProtocolError, StreamCode
from mayfly.mux.events import (
    DatagramReceived,
    GoAwayReceived,
    HelloReceived,
    Priority,
    SessionClosed,
    Side,
    StreamOpened,
    StreamReadable,
    StreamReset,
    StreamsAvailable,
    StreamStopped,
    StreamWritable,
)
from mayfly.wire import frames as f
from support.pair import Pair, Path, hello_of
from support.raw_peer import RawPeer

CONFIG = MuxConfig()


def pair() -> Pair:
    """Two ends that have met."""
    return Pair().connect()


def opened(both: Pair, data: bytes = b"hello") -> int:
    """A stream of a's that b has heard of."""
    stream_id = both.a.mux.open_stream(Priority.INTERACTIVE)
    both.a.mux.write(stream_id, data)
    both.settle()
    return stream_id


# Meeting


def test_the_ends_meet() -> None:
    both = pair()
    assert both.a.events == [HelloReceived(hello_of(CONFIG))]
    assert both.a.mux.peer == both.b.mux.peer == hello_of(CONFIG)
    assert both.a.mux.round_trip == pytest.approx(0.02)


def test_nothing_may_be_opened_or_sent_before_the_peer_s_hello() -> None:
    peer = RawPeer(hello=False)
    assert not peer.mux.can_open()
    with pytest.raises(LocalProtocolError):
        peer.mux.open_stream(Priority.BULK)
    assert not peer.mux.send_datagram(1, b"")
    peer.mux.go_away(1, "")
    assert peer.hear() == []
    peer.say(peer.hello.encode())
    assert peer.heard(f.GoAwayFrame)


def test_what_waits_leaves_with_our_hello_when_the_peer_s_came_first() -> None:
    both = Pair()
    hello = both.b.mux.messages_to_send(1, both.now)
    both.a.mux.receive_message(hello[0], both.now)
    stream_id = both.a.mux.open_stream(Priority.BULK)
    both.a.mux.write(stream_id, b"x")
    messages = both.a.mux.messages_to_send(1 << 20, both.now)
    assert len(messages) == 2
    assert both.a.mux.messages_to_send(1 << 20, both.now) == []


def test_messages_fit_the_peer_from_hello_on() -> None:
    small = replace(CONFIG, usual_message=1200, max_message=1200, max_receive_message=17 * KIB)
    both = Pair(replace(CONFIG, max_message=60 * KIB), small)
    both.connect()
    stream_id = opened(both, bytes(100_000))
    for number in range(900):
        both.a.mux.open_stream(Priority.BULK)
        both.a.mux.reset(2 * number + 2, 1 << 60)
        both.a.mux.stop(2 * number + 2, 1 << 60)
    assert both.a.largest == 17 * KIB  # which the pair holds every message against
    assert both.a.mux.send_datagram(stream_id, bytes(CONFIG.max_datagram))
    both.settle()
    assert both.b.mux.closed is None
    assert len(both.b.seen(DatagramReceived)) == 1


# Streams


def test_a_stream_both_ways_and_its_half_closes() -> None:
    both = pair()
    stream_id = opened(both)
    assert both.b.events[1:] == [StreamOpened(stream_id), StreamReadable(stream_id)]
    assert both.b.mux.readable(stream_id)
    assert both.b.mux.read(stream_id, 3, both.now) == (b"hel", False)
    both.a.mux.finish(stream_id)
    both.settle()
    assert both.b.mux.read(stream_id, 99, both.now) == (b"lo", True)
    both.b.mux.write(stream_id, b"still open this way")
    both.b.mux.finish(stream_id)
    both.settle()
    assert both.b.mux.open_streams == 1  # until the other end has read all of it
    assert both.a.mux.read(stream_id, 99, both.now) == (b"still open this way", True)
    both.settle()
    assert [end.mux.open_streams for end in both.ends] == [0, 0]
    assert both.a.mux.read(stream_id, 99, both.now) == (b"", True)
    both.a.mux.finish(stream_id)
    both.a.mux.reset(stream_id, 1)
    both.a.mux.stop(stream_id, 1)
    with pytest.raises(LocalProtocolError):
        both.a.mux.write(stream_id, b"x")


def test_a_stream_is_held_until_its_end_has_come_not_only_its_bytes() -> None:
    """A report of all bytes that crosses with the FIN is no report of the FIN: closing then would cut the end off."""
    peer = RawPeer()
    stream_id = peer.mux.open_stream(Priority.BULK)
    peer.mux.write(stream_id, b"abc")
    peer.hear()
    peer.mux.finish(stream_id)
    peer.hear()
    peer.say(f.StreamFrame(stream_id, 0, b"", fin=True), f.MaxStreamDataFrame(stream_id, 10, 3))
    assert peer.mux.read(stream_id, 1, peer.now) == (b"", True)
    peer.hear()
    assert peer.mux.open_streams == 1
    peer.say(f.MaxStreamDataFrame(stream_id, 10, 4))
    assert peer.mux.open_streams == 0


def test_a_reset_reaches_the_other_end_and_drops_what_was_not_read() -> None:
    both = pair()
    stream_id = opened(both)
    both.a.mux.reset(stream_id, 7)
    both.settle()
    assert both.b.events[-1] == StreamReset(stream_id, 7)
    assert both.b.mux.read(stream_id, 9, both.now) == (b"", True)
    assert both.b.mux.unread == 0
    both.b.mux.reset(stream_id, 8)
    both.settle()
    assert both.a.events[-1] == StreamReset(stream_id, 8)
    assert [end.mux.open_streams for end in both.ends] == [0, 0]


def test_a_stop_makes_the_other_end_reset() -> None:
    both = pair()
    stream_id = opened(both, bytes(2_000_000))
    both.b.mux.stop(stream_id, 5)
    both.settle()
    assert both.a.events[-1] == StreamStopped(stream_id, 5)
    assert both.b.mux.unread == 0
    with pytest.raises(LocalProtocolError):
        both.a.mux.write(stream_id, b"x")
    assert both.a.mux.open_streams == 1  # the other half lives on
    both.b.mux.write(stream_id, b"answer")
    both.settle()
    assert both.a.mux.read(stream_id, 99, both.now) == (b"answer", False)


def test_a_write_that_is_refused_is_told_when_to_go_on() -> None:
    size = 32 * 1024
    both = Pair(replace(CONFIG, send_buffer=size)).connect()
    mux = both.a.mux
    stream_id = mux.open_stream(Priority.BULK)
    assert mux.room(stream_id) == size
    assert mux.write(stream_id, bytes(size + 1)) == size
    assert mux.room(stream_id) == mux.write(stream_id, b"x") == 0
    assert mux.write(stream_id, b"") == 0
    assert mux.writable_events() == []
    mux.messages_to_send(size // 4, both.now)
    assert mux.writable_events() == []
    mux.messages_to_send(size // 2, both.now)
    assert mux.writable_events() == [StreamWritable(stream_id)]
    assert mux.writable_events() == []


def test_asking_for_room_is_enough_to_be_told() -> None:
    size = 32 * 1024
    both = Pair(replace(CONFIG, send_buffer=size)).connect()
    mux = both.a.mux
    stream_id = mux.open_stream(Priority.BULK)
    assert mux.write(stream_id, bytes(size)) == size  # nothing was refused yet
    mux.messages_to_send(size, both.now)
    assert mux.writable_events() == []
    mux.write(stream_id, bytes(mux.room(stream_id)))
    assert mux.room(stream_id) == 0
    mux.messages_to_send(size, both.now)
    assert mux.writable_events() == [StreamWritable(stream_id)]


def test_what_nobody_reads_fills_the_pool_and_no_more() -> None:
    config = replace(CONFIG, send_buffer=64 * 1024, send_pool=256 * 1024, send_floor=4096, max_streams=300)
    both = Pair(config).connect()
    mux = both.a.mux
    taken = 0
    for _ in range(300):
        taken += mux.write(mux.open_stream(Priority.BULK), bytes(64 * 1024))
    assert 256 * 1024 * 3 // 4 < taken <= config.send_pool + 300 * config.send_floor


def test_a_refused_writer_that_is_reset_is_not_told_to_go_on() -> None:
    both = pair()
    stream_id = both.a.mux.open_stream(Priority.BULK)
    both.a.mux.write(stream_id, bytes(CONFIG.send_buffer + 1))
    both.a.mux.reset(stream_id, 0)
    assert both.a.mux.writable_events() == []


def test_our_side_s_mistakes_raise_and_change_nothing() -> None:
    both = pair()
    stream_id = opened(both)
    both.a.mux.finish(stream_id)
    with pytest.raises(LocalProtocolError):
        both.a.mux.write(stream_id, b"x")
    with pytest.raises(LocalProtocolError):
        both.a.mux.write(999, b"x")
    with pytest.raises(LocalProtocolError):
        both.a.mux.room(999)
    both.settle()
    assert both.b.mux.read(stream_id, 99, both.now) == (b"hello", True)
    assert both.a.mux.closed is None


def test_stream_credit_is_told_when_it_comes_back() -> None:
    both = Pair(replace(CONFIG, max_streams=8)).connect()
    mux = both.a.mux
    while mux.can_open():
        mux.finish(mux.open_stream(Priority.BULK))
    assert mux.open_streams == 8
    both.settle()
    for event in both.b.seen(StreamOpened):
        assert isinstance(event, StreamOpened)
        assert both.b.mux.read(event.stream_id, 1, both.now) == (b"", True)
        both.b.mux.finish(event.stream_id)
    both.settle()
    for number in range(8):
        mux.read(2 * number, 1, both.now)
    both.settle()
    assert StreamsAvailable() in both.a.events
    assert mux.can_open()


def test_datagrams_belong_to_open_streams_and_are_dropped_when_too_big() -> None:
    both = pair()
    stream_id = opened(both)
    assert both.a.mux.send_datagram(stream_id, b"one")
    assert not both.a.mux.send_datagram(stream_id, bytes(CONFIG.max_datagram + 1))
    assert not both.a.mux.send_datagram(998, b"x")
    both.settle()
    assert both.b.seen(DatagramReceived) == [DatagramReceived(stream_id, b"one")]


# The end


def test_going_away_refuses_new_streams_and_lets_old_ones_finish() -> None:
    both = pair()
    old = opened(both)
    both.b.mux.go_away(30.0, "time is up")
    late = both.a.mux.open_stream(Priority.INTERACTIVE)  # before it has heard
    both.a.mux.write(late, b"too late")
    both.settle()
    assert both.a.seen(GoAwayReceived) == [GoAwayReceived(30.0, "time is up")]
    assert both.a.mux.peer_leaving
    assert not both.a.mux.can_open()
    with pytest.raises(LocalProtocolError):
        both.a.mux.open_stream(Priority.BULK)
    assert StreamStopped(late, StreamCode.DRAINING) in both.a.events
    assert StreamReset(late, StreamCode.DRAINING) in both.a.events
    assert both.b.seen(StreamOpened) == [StreamOpened(old)]
    both.a.mux.finish(old)
    both.b.mux.finish(old)
    both.settle()
    assert both.b.mux.read(old, 99, both.now) == (b"hello", True)
    assert both.a.mux.read(old, 99, both.now) == (b"", True)
    both.settle()
    assert [end.mux.open_streams for end in both.ends] == [0, 0]


def test_closing_is_said_once_at_any_budget() -> None:
    both = pair()
    opened(both)
    both.a.paused = True
    both.dispatch(both.a, both.a.mux.close(ErrorCode.DRAINED, "done"))
    assert both.a.mux.close(ErrorCode.NO_ERROR, "again") == []
    both.settle()
    assert both.a.seen(SessionClosed) == [SessionClosed(Side.US, ErrorCode.DRAINED, "done")]
    assert both.b.seen(SessionClosed) == [SessionClosed(Side.PEER, ErrorCode.DRAINED, "done")]
    assert both.a.mux.messages_to_send(1 << 20, both.now) == []
    assert [end.mux.open_streams for end in both.ends] == [0, 0]
    assert both.a.mux.lose_link("later") == []


def test_a_long_reason_is_cut() -> None:
    both = pair()
    both.dispatch(both.a, both.a.mux.close(ErrorCode.NO_ERROR, "ü" * 1000))
    both.settle()
    assert both.b.seen(SessionClosed) == [SessionClosed(Side.PEER, 0, "ü" * 128)]


# The clock


@pytest.mark.parametrize("paused", [False, True])
def test_silence_is_asked_about_and_then_is_death_within_15_seconds(paused: bool) -> None:
    both = pair()
    opened(both)
    quiet = both.now
    both.silent = both.a.paused = both.b.paused = True
    both.a.paused = paused
    both.run_until(quiet + 3.9)
    assert [end.mux.closed for end in both.ends] == [None, None]
    both.run_until(quiet + 15.0)
    for end in both.ends:
        assert end.seen(SessionClosed) == [
            SessionClosed(Side.LINK, ErrorCode.LIVENESS_TIMEOUT, "the other side has stopped answering")
        ]


def test_an_idle_link_lives() -> None:
    both = pair()
    sent = both.a.sent
    both.run_until(both.now + 3600)
    assert [end.mux.closed for end in both.ends] == [None, None]
    assert 0 < both.a.sent - sent < 3600 * 10


def test_a_process_that_slept_for_an_hour_is_not_dead_at_once() -> None:
    both = pair()
    both.now += 3600
    for end in both.ends:
        both.dispatch(end, end.mux.handle_timeout(both.now))
    both.flush()
    both.run_until(both.now + 60)
    assert [end.mux.closed for end in both.ends] == [None, None]


def test_a_peer_that_never_says_hello() -> None:
    peer = RawPeer(hello=False)
    due = peer.mux.next_timeout()
    assert due == 50.0 + CONFIG.hello_timeout
    assert peer.mux.handle_timeout(due - 0.1) == []
    assert [type(event) for event in peer.mux.handle_timeout(due)] == [SessionClosed]
    assert peer.mux.next_timeout() is None


def test_the_round_trip_follows_the_path() -> None:
    both = Pair(path=Path(latency=0.2), back=Path(latency=0.1)).connect()
    stream_id = opened(both, bytes(1000))
    for _ in range(100):
        both.now += 3
        both.a.mux.write(stream_id, bytes(10))
        both.settle()
        both.b.mux.read(stream_id, 9999, both.now)
    assert both.a.mux.round_trip == pytest.approx(0.3)


def test_a_peer_that_is_prompted_answers_at_once_and_is_not_asked_twice() -> None:
    both = pair()
    end = both.ends[0]
    both.settle()
    before = both.now
    end.mux.prompt(before)
    end.mux.prompt(before)
    pings = [frame for m in end.mux.messages_to_send(1 << 20, before) for frame in f.decode_message(m)]
    assert [type(frame) for frame in pings] == [f.PingFrame]
