"""Frames: round trips, malformed messages, and arbitrary bytes."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.wire import frames as f
from mayfly.wire.varint import MAX_VARINT, encode_varint
from support.costs import assert_linear

varints = st.integers(0, 100) | st.integers(0, MAX_VARINT)
small = st.binary(max_size=300)
opaque = st.binary(min_size=f.OPAQUE_SIZE, max_size=f.OPAQUE_SIZE)
frames = st.one_of(
    st.builds(f.PingFrame, opaque),
    st.builds(f.PongFrame, opaque),
    st.builds(f.StreamFrame, varints, varints, small, st.booleans()),
    st.builds(f.ResetStreamFrame, varints, varints, varints),
    st.builds(f.StopSendingFrame, varints, varints),
    st.builds(f.MaxDataFrame, varints),
    st.builds(f.MaxStreamDataFrame, varints, varints, varints),
    st.builds(f.MaxStreamsFrame, varints),
    st.builds(f.DataBlockedFrame, varints),
    st.builds(f.StreamDataBlockedFrame, varints, varints),
    st.builds(f.StreamsBlockedFrame, varints),
    st.builds(f.ConnectionCloseFrame, varints, small),
    st.builds(f.GoAwayFrame, varints, small),
    st.builds(f.DatagramFrame, varints, small),
    st.builds(f.HelloFrame, varints, varints, small),
)
KNOWN = {
    *(f.PADDING, f.PING, f.RESET_STREAM, f.STOP_SENDING, f.MAX_DATA, f.MAX_STREAM_DATA, f.MAX_STREAMS),
    *(f.DATA_BLOCKED, f.STREAM_DATA_BLOCKED, f.STREAMS_BLOCKED, f.CONNECTION_CLOSE, f.HELLO, f.PONG, f.GOAWAY),
    *(f.DATAGRAM, *range(f.STREAM, f.STREAM_LAST + 1)),
}


def malformed(message: bytes) -> None:
    """The message cannot be read to its end."""
    with pytest.raises(RemoteProtocolError) as caught:
        list(f.decode_message(message))
    assert caught.value.code is ErrorCode.FRAME_ENCODING_ERROR


@given(sent=st.lists(st.tuples(frames, st.integers(0, 3)), min_size=1, max_size=8))
def test_round_trip_with_padding_between(sent: list[tuple[f.Frame, int]]) -> None:
    message = b"".join(frame.encode() + bytes(padding) for frame, padding in sent)
    assert list(f.decode_message(message)) == [frame for frame, _ in sent]


@given(frame=frames, data=st.data())
def test_every_cut_is_malformed(frame: f.Frame, data: st.DataObject) -> None:
    encoded = frame.encode()
    malformed(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


@given(message=st.binary(max_size=200))
def test_any_bytes_give_frames_or_one_documented_error(message: bytes) -> None:
    try:
        found = list(f.decode_message(message))
    except RemoteProtocolError as error:
        assert error.code is ErrorCode.FRAME_ENCODING_ERROR
        return
    for frame in found:
        assert list(f.decode_message(frame.encode())) == [frame]


@pytest.mark.parametrize("kind", sorted(set(range(256)) - KNOWN))
def test_an_unknown_type_is_malformed(kind: int) -> None:
    malformed(bytes((kind,)) + bytes(40))


def test_frames_before_a_malformed_one_are_given_first() -> None:
    found = f.decode_message(f.MaxDataFrame(7).encode() + b"\xff")
    assert next(found) == f.MaxDataFrame(7)
    with pytest.raises(RemoteProtocolError):
        next(found)


def test_an_empty_message_is_malformed_and_one_of_padding_is_not() -> None:
    malformed(b"")
    assert list(f.decode_message(bytes(65536))) == []


def test_a_stream_frame_without_length_fills_its_message() -> None:
    assert list(f.decode_message(b"\x08\x02rest")) == [f.StreamFrame(2, 0, b"rest")]
    assert list(f.decode_message(b"\x0d\x02\x05rest")) == [f.StreamFrame(2, 5, b"rest", fin=True)]
    assert list(f.decode_message(b"\x0a\x02\x02re\x01" + bytes(8))) == [
        f.StreamFrame(2, 0, b"re"),
        f.PingFrame(bytes(8)),
    ]


def test_a_length_beyond_the_message_is_malformed() -> None:
    for head in (b"\x0a\x02", b"\x1c\x00", b"\x22\x00", b"\x30\x02", b"\x20\x01\x01"):
        malformed(head + encode_varint(MAX_VARINT) + b"bytes")


def test_the_overhead_of_a_stream_frame_is_bounded() -> None:
    head = f.stream_frame_head(MAX_VARINT, MAX_VARINT, 65536, fin=True)
    assert len(head) <= f.STREAM_OVERHEAD
    assert f.stream_frame_head(4, 0, 3, fin=False) == b"\x0a\x04\x03"


@pytest.mark.parametrize(
    "pattern",
    [
        b"\0\x10\x01",
        b"\0\0\0\0\0\0\0\x01" + bytes(8),
        b"\x0a\0\0",
        b"\x30\0\0",
        b"\x22\0\0",
        b"\x01" + bytes(8),
    ],
)
def test_a_message_of_tiny_frames_takes_linear_time(pattern: bytes) -> None:
    assert_linear(lambda size: deque(f.decode_message(pattern * (size // len(pattern))), maxlen=0), 32 * 1024)
