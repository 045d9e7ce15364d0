"""A peer that breaks the rules, or keeps them and means harm: the right code, bounded memory, and life goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mayfly.errors import ErrorCode
from mayfly.mux.events import (
    DatagramReceived,
    GoAwayReceived,
    Priority,
    SessionClosed,
    Side,
    StreamOpened,
    StreamReset,
)
from mayfly.wire import frames as f
from mayfly.wire.varint import MAX_VARINT, encode_varint
from support.raw_peer import SMALL, RawPeer

stream_ids = st.integers(0, 12)
offsets = st.integers(0, 300) | st.integers(0, MAX_VARINT)
small = st.binary(max_size=40)
any_frame = st.one_of(
    st.builds(f.PingFrame, st.binary(min_size=8, max_size=8)),
    st.builds(f.PongFrame, st.binary(min_size=8, max_size=8)),
    st.builds(f.StreamFrame, stream_ids, offsets, small, st.booleans()),
    st.builds(f.StreamFrame, stream_ids, st.integers(0, 80), small, st.booleans()),
    st.builds(f.ResetStreamFrame, stream_ids, offsets, offsets),
    st.builds(f.StopSendingFrame, stream_ids, offsets),
    st.builds(f.MaxDataFrame, offsets),
    st.builds(f.MaxStreamDataFrame, stream_ids, offsets, offsets),
    st.builds(f.MaxStreamsFrame, offsets),
    st.builds(f.DataBlockedFrame, offsets),
    st.builds(f.StreamDataBlockedFrame, stream_ids, offsets),
    st.builds(f.StreamsBlockedFrame, offsets),
    st.builds(f.DatagramFrame, stream_ids, small),
    st.builds(f.GoAwayFrame, offsets, small),
)


@settings(deadline=None)
@given(messages=st.lists(st.binary(max_size=60), max_size=12), hello=st.booleans())
@example(messages=[b""], hello=True)
@example(messages=[b"\xff" * 9000], hello=False)
def test_any_bytes_end_the_session_or_do_nothing(messages: list[bytes], hello: bool) -> None:
    peer = RawPeer(SMALL, hello=hello)
    for message in messages:
        peer.say_bytes(message)
        peer.hear()
    closed = peer.told(SessionClosed)
    assert len(closed) <= 1
    assert not closed or closed[0].by is Side.PEER or closed[0].code in set(ErrorCode)


@settings(deadline=None, max_examples=200)
@given(
    messages=st.lists(st.lists(any_frame, min_size=1, max_size=4), max_size=25),
    acts=st.lists(st.tuples(st.sampled_from(["write", "finish", "reset", "stop", "read"]), stream_ids), max_size=25),
)
def test_any_well_formed_frames_end_the_session_or_do_nothing(
    messages: list[list[f.Frame]], acts: list[tuple[str, int]]
) -> None:
    """The peer says anything at all while our application goes about its business."""
    peer = RawPeer(SMALL)
    mux = peer.mux
    mine = [mux.open_stream(Priority.INTERACTIVE) for _ in range(3)]
    for number, message in enumerate(messages):
        peer.say(*message)
        act, stream_id = acts[number % len(acts)] if acts else ("read", 0)
        match act:
            case "write" if stream_id in mine and _open(peer, stream_id):
                mux.write(stream_id, b"x" * 30_000)
            case "finish":
                mux.finish(stream_id)
                mine = [one for one in mine if one != stream_id]
            case "reset":
                mux.reset(stream_id, 1)
                mine = [one for one in mine if one != stream_id]
            case "stop":
                mux.stop(stream_id, 1)
            case _:
                mux.read(stream_id, 9, peer.now)
        if peer.told(SessionClosed):
            break
        mine = [one for one in mine if mux.open_streams and _open(peer, one)]
        assert 0 <= mux.unread <= SMALL.max_connection_window
        peer.hear()
        mux.writable_events()
    assert len(peer.told(SessionClosed)) <= 1


def _open(peer: RawPeer, stream_id: int) -> bool:
    stream = peer.mux._streams.get(stream_id)
    return stream is not None and stream.send.name == "OPEN"


BROKEN: dict[str, tuple[ErrorCode, Callable[[RawPeer], object]]] = {
    "a stream's credit ignored": (
        ErrorCode.FLOW_CONTROL_ERROR,
        lambda p: p.say(f.StreamFrame(0, p.config.initial_stream_window, b"x")),
    ),
    "the same by one byte": (
        ErrorCode.FLOW_CONTROL_ERROR,
        lambda p: p.say(f.StreamFrame(0, p.config.initial_stream_window - 1, b"xy")),
    ),
    "the session's credit ignored": (
        ErrorCode.FLOW_CONTROL_ERROR,
        lambda p: [p.say(f.StreamFrame(2 * n, p.config.initial_stream_window - 1, b"x")) for n in range(64)],
    ),
    "a reset far behind the credit": (
        ErrorCode.FLOW_CONTROL_ERROR,
        lambda p: p.say(f.ResetStreamFrame(0, 0, MAX_VARINT)),
    ),
    "a giant offset": (ErrorCode.FLOW_CONTROL_ERROR, lambda p: p.say(f.StreamFrame(0, MAX_VARINT, b"x"))),
    "too many streams": (
        ErrorCode.STREAM_LIMIT_ERROR,
        lambda p: p.say(f.StreamFrame(2 * p.config.max_streams, 0, b"")),
    ),
    "a giant stream id": (ErrorCode.STREAM_LIMIT_ERROR, lambda p: p.say(f.StopSendingFrame(MAX_VARINT - 1, 0))),
    "a stream of ours that never was": (ErrorCode.STREAM_STATE_ERROR, lambda p: p.say(f.StreamFrame(1, 0, b"x"))),
    "credit for one": (ErrorCode.STREAM_STATE_ERROR, lambda p: p.say(f.MaxStreamDataFrame(1, 5, 0))),
    "a datagram for one": (ErrorCode.STREAM_STATE_ERROR, lambda p: p.say(f.DatagramFrame(1, b""))),
    "an end before the bytes": (
        ErrorCode.FINAL_SIZE_ERROR,
        lambda p: p.say(f.StreamFrame(0, 5, b"x"), f.StreamFrame(0, 0, b"x", fin=True)),
    ),
    "bytes behind the end": (
        ErrorCode.FINAL_SIZE_ERROR,
        lambda p: p.say(f.StreamFrame(0, 2, b"x", fin=True), f.StreamFrame(0, 3, b"x")),
    ),
    "two ends": (
        ErrorCode.FINAL_SIZE_ERROR,
        lambda p: p.say(f.StreamFrame(0, 2, b"x", fin=True), f.StreamFrame(0, 2, b"xy", fin=True)),
    ),
    "a reset before the bytes": (
        ErrorCode.FINAL_SIZE_ERROR,
        lambda p: p.say(f.StreamFrame(0, 5, b"x"), f.ResetStreamFrame(0, 0, 5)),
    ),
    "a reset at another end": (
        ErrorCode.FINAL_SIZE_ERROR,
        lambda p: p.say(f.StreamFrame(0, 5, b"x", fin=True), f.ResetStreamFrame(0, 0, 7)),
    ),
    "pieces without end": (
        ErrorCode.TOO_MANY_GAPS,
        lambda p: [p.say(*(f.StreamFrame(2 * s, 2 * n + 1, b"x") for n in range(200))) for s in range(60)],
    ),
    "an unknown frame": (ErrorCode.FRAME_ENCODING_ERROR, lambda p: p.say_bytes(b"\x02" + bytes(20))),
    "half a frame": (ErrorCode.FRAME_ENCODING_ERROR, lambda p: p.say_bytes(b"\x10")),
    "nothing": (ErrorCode.FRAME_ENCODING_ERROR, lambda p: p.say_bytes(b"")),
    "too much": (ErrorCode.MESSAGE_TOO_BIG, lambda p: p.say_bytes(bytes(p.config.max_receive_message + 1))),
    "HELLO twice": (ErrorCode.PROTOCOL_VIOLATION, lambda p: p.say(p.hello.encode())),
    "a datagram above the limit": (
        ErrorCode.PROTOCOL_VIOLATION,
        lambda p: p.say(f.DatagramFrame(0, bytes(p.config.max_datagram + 1))),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_has_its_code(case: str) -> None:
    code, act = BROKEN[case]
    peer = RawPeer(SMALL)
    act(peer)
    peer.assert_cut_off(code)


EARLY: dict[str, tuple[ErrorCode, Callable[[RawPeer], object]]] = {
    "no HELLO": (
        ErrorCode.PROTOCOL_VIOLATION,
        lambda p: [p.say(f.StreamFrame(0, 0, bytes(2000))) for _ in range(1000)],
    ),
    "no HELLO, in drops": (ErrorCode.PROTOCOL_VIOLATION, lambda p: [p.say_bytes(b"\0") for _ in range(10_000)]),
    "HELLO among the messages that overtook it": (
        ErrorCode.PROTOCOL_VIOLATION,
        lambda p: (p.say(f.MaxDataFrame(1), p.hello.encode()), p.say(p.hello.encode())),
    ),
    "a broken message that overtook it": (
        ErrorCode.FRAME_ENCODING_ERROR,
        lambda p: (p.say_bytes(b"\x10\x01\xff"), p.say(p.hello.encode())),
    ),
    "a broken rule in one that overtook it": (
        ErrorCode.STREAM_STATE_ERROR,
        lambda p: (p.say(f.StreamFrame(1, 0, b"")), p.say(p.hello.encode())),
    ),
    "too big before HELLO": (ErrorCode.MESSAGE_TOO_BIG, lambda p: p.say_bytes(bytes(p.config.max_receive_message + 1))),
    "another version": (
        ErrorCode.VERSION_UNSUPPORTED,
        lambda p: p.say(replace(p.hello.encode(), version=7, lowest_version=7)),
    ),
    "HELLO of nonsense": (ErrorCode.TRANSPORT_PARAMETER_ERROR, lambda p: p.say(f.HelloFrame(1, 1, b"\x01"))),
}


@pytest.mark.parametrize("case", EARLY)
def test_a_broken_rule_before_hello_has_its_code(case: str) -> None:
    code, act = EARLY[case]
    peer = RawPeer(SMALL, hello=False)
    act(peer)
    peer.assert_cut_off(code)


def test_a_close_in_the_middle_of_a_message_ends_it_there() -> None:
    peer = RawPeer(SMALL)
    events = peer.say(f.StreamFrame(0, 0, b"x"), f.ConnectionCloseFrame(9, b"bye\xff"), f.StreamFrame(2, 0, b"x"))
    assert events[-1] == SessionClosed(Side.PEER, 9, "bye\ufffd")
    assert peer.told(StreamOpened) == [StreamOpened(0)]
    assert peer.hear() == []


def test_a_close_that_comes_before_hello_is_obeyed() -> None:
    peer = RawPeer(SMALL, hello=False)
    assert peer.say(f.ConnectionCloseFrame(ErrorCode.VERSION_UNSUPPORTED, b"new")) == [
        SessionClosed(Side.PEER, ErrorCode.VERSION_UNSUPPORTED, "new")
    ]


def test_a_million_opens_end_at_the_limit() -> None:
    peer = RawPeer(SMALL)
    for number in range(1_000_000):
        peer.say(f.StreamFrame(2 * number, 0, b"x"))
        if peer.mux.closed:
            break
    assert len(peer.told(StreamOpened)) == SMALL.max_streams
    peer.assert_cut_off(ErrorCode.STREAM_LIMIT_ERROR)


def test_answers_to_a_flood_are_few() -> None:
    peer = RawPeer(SMALL)
    peer.hear()
    peer.say(*(f.PingFrame(n.to_bytes(8, "big")) for n in range(900)))
    pongs = [frame for frame in peer.hear() if isinstance(frame, f.PongFrame)]
    assert 0 < len(pongs) <= 8
    assert pongs[-1].opaque == (899).to_bytes(8, "big")
    peer.say(*(f.StopSendingFrame(0, n) for n in range(900)))
    assert peer.heard(f.ResetStreamFrame) == [f.ResetStreamFrame(0, 0, 0)]


def test_a_flood_of_farewells_is_told_a_few_times() -> None:
    peer = RawPeer()
    for number in range(1000):
        peer.say(*[f.GoAwayFrame(number * 1000, b"leaving")] * 10)
    told = peer.told(GoAwayReceived)
    assert [event.seconds for event in told[:1]] == [0.0]
    assert len(told) == 8
    assert peer.mux.closed is None


def test_streams_refused_while_draining_tell_the_application_nothing() -> None:
    peer = RawPeer(SMALL)
    peer.mux.go_away(30, "late")
    peer.say(f.DatagramFrame(0, b"x"), f.StreamFrame(2, 0, b"x"), f.ResetStreamFrame(2, 5, 1))
    assert not [*peer.told(StreamOpened), *peer.told(DatagramReceived), *peer.told(StreamReset)]
    assert {frame.stream_id for frame in peer.heard(f.ResetStreamFrame)} == {0, 2}
    peer.say(f.ResetStreamFrame(0, 0, 0))
    peer.hear()
    assert peer.mux.open_streams == 0


def test_a_peer_that_never_says_that_it_has_all_holds_no_more_streams_than_the_limit() -> None:
    peer = RawPeer(SMALL, max_streams=MAX_VARINT)
    opened = 0
    while peer.mux.can_open():
        stream_id = peer.mux.open_stream(Priority.INTERACTIVE)
        peer.mux.finish(stream_id)
        peer.hear()
        peer.say(f.StreamFrame(stream_id, 0, b"", fin=True))
        peer.mux.read(stream_id, 1, peer.now)
        opened += 1
    assert opened == peer.mux.open_streams == SMALL.max_streams


def test_the_message_limit_is_a_hard_edge() -> None:
    peer = RawPeer(SMALL)
    assert peer.say_bytes(bytes(SMALL.max_receive_message)) == []
    body = bytes(SMALL.max_receive_message - 4)
    peer.say_bytes(b"\x0a\x00" + encode_varint(len(body)) + body)
    assert peer.mux.closed is None
    assert peer.mux.unread == len(body)
