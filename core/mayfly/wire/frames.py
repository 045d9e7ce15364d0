"""The frames of core/PROTOCOL.md. Names and, where the meaning is the same, types are RFC 9000 §19's.

`decode_message` reads one data channel message; each frame's `encode` writes it. A frame never spans two messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.wire.varint import IncompleteError, decode_varint, encode_varint

PADDING = 0x00
PING = 0x01
RESET_STREAM = 0x04
STOP_SENDING = 0x05
STREAM = 0x08
STREAM_LAST = 0x0F
STREAM_FIN = 0x01
STREAM_LEN = 0x02
STREAM_OFF = 0x04
MAX_DATA = 0x10
MAX_STREAM_DATA = 0x11
MAX_STREAMS = 0x12
DATA_BLOCKED = 0x14
STREAM_DATA_BLOCKED = 0x15
STREAMS_BLOCKED = 0x16
CONNECTION_CLOSE = 0x1C
HELLO = 0x20
PONG = 0x21
GOAWAY = 0x22
DATAGRAM = 0x30

OPAQUE_SIZE = 8
"""Bytes that a PING carries and its PONG returns."""

_ZEROS = re.compile(rb"\0*")

STREAM_OVERHEAD = 1 + 8 + 8 + 4
"""The most that a STREAM frame adds to its data."""


@dataclass(frozen=True, slots=True)
class PingFrame:
    """Ask for a PONG with the same 8 bytes."""

    opaque: bytes

    def encode(self) -> bytes:
        return bytes((PING,)) + self.opaque


@dataclass(frozen=True, slots=True)
class PongFrame:
    """The answer to a PING."""

    opaque: bytes

    def encode(self) -> bytes:
        return bytes((PONG,)) + self.opaque


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """Bytes of one stream at an offset; `fin` marks its end. RFC 9000 §19.8."""

    stream_id: int
    offset: int
    data: bytes
    fin: bool = False

    def encode(self) -> bytes:
        return stream_frame_head(self.stream_id, self.offset, len(self.data), self.fin) + self.data


@dataclass(frozen=True, slots=True)
class ResetStreamFrame:
    """The sender ends its half early. `final_size` is the number of bytes it had sent. RFC 9000 §19.4."""

    stream_id: int
    code: int
    final_size: int

    def encode(self) -> bytes:
        return _encode(RESET_STREAM, self.stream_id, self.code, self.final_size)


@dataclass(frozen=True, slots=True)
class StopSendingFrame:
    """The receiver wants no more of a stream. RFC 9000 §19.5."""

    stream_id: int
    code: int

    def encode(self) -> bytes:
        return _encode(STOP_SENDING, self.stream_id, self.code)


@dataclass(frozen=True, slots=True)
class MaxDataFrame:
    """Credit for all streams together, as a total since the start. RFC 9000 §19.9."""

    limit: int

    def encode(self) -> bytes:
        return _encode(MAX_DATA, self.limit)


@dataclass(frozen=True, slots=True)
class MaxStreamDataFrame:
    """Credit for one stream as a total, and what has arrived without a gap: bytes, and one more once all was read.

    Compare RFC 9000 §19.10.
    """

    stream_id: int
    limit: int
    received: int

    def encode(self) -> bytes:
        return _encode(MAX_STREAM_DATA, self.stream_id, self.limit, self.received)


@dataclass(frozen=True, slots=True)
class MaxStreamsFrame:
    """How many streams the receiver of this frame may have opened since the start. RFC 9000 §19.11."""

    limit: int

    def encode(self) -> bytes:
        return _encode(MAX_STREAMS, self.limit)


@dataclass(frozen=True, slots=True)
class DataBlockedFrame:
    """The sender has data but no connection credit. RFC 9000 §19.12."""

    limit: int

    def encode(self) -> bytes:
        return _encode(DATA_BLOCKED, self.limit)


@dataclass(frozen=True, slots=True)
class StreamDataBlockedFrame:
    """The sender has data but no credit on this stream. RFC 9000 §19.13."""

    stream_id: int
    limit: int

    def encode(self) -> bytes:
        return _encode(STREAM_DATA_BLOCKED, self.stream_id, self.limit)


@dataclass(frozen=True, slots=True)
class StreamsBlockedFrame:
    """The sender wants to open a stream and may not. RFC 9000 §19.14."""

    limit: int

    def encode(self) -> bytes:
        return _encode(STREAMS_BLOCKED, self.limit)


@dataclass(frozen=True, slots=True)
class ConnectionCloseFrame:
    """The session ends now. `reason` is UTF-8 for people. RFC 9000 §19.19 without its frame type field."""

    code: int
    reason: bytes = b""

    def encode(self) -> bytes:
        return _encode(CONNECTION_CLOSE, self.code, len(self.reason)) + self.reason


@dataclass(frozen=True, slots=True)
class GoAwayFrame:
    """The sender accepts no new streams and leaves within `milliseconds`."""

    milliseconds: int
    reason: bytes = b""

    def encode(self) -> bytes:
        return _encode(GOAWAY, self.milliseconds, len(self.reason)) + self.reason


@dataclass(frozen=True, slots=True)
class DatagramFrame:
    """An unreliable message that belongs to a stream, after RFC 9221 and RFC 9297 §2.1. May be dropped, never split."""

    stream_id: int
    data: bytes

    def encode(self) -> bytes:
        return _encode(DATAGRAM, self.stream_id, len(self.data)) + self.data


@dataclass(frozen=True, slots=True)
class HelloFrame:
    """The first frame each way. `parameters` is read by `mayfly.wire.hello`."""

    version: int
    lowest_version: int
    parameters: bytes

    def encode(self) -> bytes:
        return _encode(HELLO, self.version, self.lowest_version, len(self.parameters)) + self.parameters


Frame = (
    PingFrame
    | PongFrame
    | StreamFrame
    | ResetStreamFrame
    | StopSendingFrame
    | MaxDataFrame
    | MaxStreamDataFrame
    | MaxStreamsFrame
    | DataBlockedFrame
    | StreamDataBlockedFrame
    | StreamsBlockedFrame
    | ConnectionCloseFrame
    | GoAwayFrame
    | DatagramFrame
    | HelloFrame
)


OfStream = (
    StreamFrame | ResetStreamFrame | StopSendingFrame | MaxStreamDataFrame | StreamDataBlockedFrame | DatagramFrame
)
"""The frames that speak of one stream, which the first of them opens."""


def stream_frame_head(stream_id: int, offset: int, size: int, fin: bool) -> bytes:
    """A STREAM frame up to its data, so that the data need not be copied into a frame object first."""
    kind = STREAM | STREAM_LEN | (STREAM_OFF if offset else 0) | (STREAM_FIN if fin else 0)
    head = bytes((kind,)) + encode_varint(stream_id)
    if offset:
        head += encode_varint(offset)
    return head + encode_varint(size)


def decode_message(data: bytes) -> Iterator[Frame]:
    """The frames of one message, in order. Raises RemoteProtocolError where it cannot be read on."""
    if not data:
        _malformed("a message without a frame")
    position, end = 0, len(data)
    while position < end:
        kind = data[position]
        position += 1
        if kind == PADDING:
            position = _ZEROS.match(data, position).end()  # type: ignore[union-attr]  # it matches the empty run too
        elif STREAM <= kind <= STREAM_LAST:
            frame, position = _decode_stream(kind, data, position)
            yield frame
        else:
            try:
                decoded, position = _decode_fixed(kind, data, position)
            except IncompleteError:
                _malformed(f"frame type 0x{kind:02x} is cut short")
            yield decoded


def _malformed(message: str) -> NoReturn:
    raise RemoteProtocolError(ErrorCode.FRAME_ENCODING_ERROR, message)


def _encode(kind: int, *values: int) -> bytes:
    return bytes((kind,)) + b"".join(map(encode_varint, values))


def _decode_stream(kind: int, data: bytes, position: int) -> tuple[StreamFrame, int]:
    try:
        stream_id, position = decode_varint(data, position)
        offset = 0
        if kind & STREAM_OFF:
            offset, position = decode_varint(data, position)
        size = len(data) - position
        if kind & STREAM_LEN:
            size, position = decode_varint(data, position)
    except IncompleteError:
        _malformed("a STREAM frame is cut short")
    end = position + size
    if end > len(data):
        _malformed("a STREAM frame is cut short")
    return StreamFrame(stream_id, offset, data[position:end], bool(kind & STREAM_FIN)), end


# How each fixed layout is read: the class, how many varints stand first, whether a length and that many bytes follow.
_LAYOUTS: dict[int, tuple[Callable[..., Frame], int, bool]] = {
    RESET_STREAM: (ResetStreamFrame, 3, False),
    STOP_SENDING: (StopSendingFrame, 2, False),
    MAX_DATA: (MaxDataFrame, 1, False),
    MAX_STREAM_DATA: (MaxStreamDataFrame, 3, False),
    MAX_STREAMS: (MaxStreamsFrame, 1, False),
    DATA_BLOCKED: (DataBlockedFrame, 1, False),
    STREAM_DATA_BLOCKED: (StreamDataBlockedFrame, 2, False),
    STREAMS_BLOCKED: (StreamsBlockedFrame, 1, False),
    CONNECTION_CLOSE: (ConnectionCloseFrame, 1, True),
    GOAWAY: (GoAwayFrame, 1, True),
    DATAGRAM: (DatagramFrame, 1, True),
    HELLO: (HelloFrame, 2, True),
}


def _decode_fixed(kind: int, data: bytes, position: int) -> tuple[Frame, int]:
    if kind in (PING, PONG):
        opaque, position = _take(data, position, OPAQUE_SIZE)
        return (PingFrame if kind == PING else PongFrame)(opaque), position
    try:
        build, numbers, with_bytes = _LAYOUTS[kind]
    except KeyError:
        _malformed(f"unknown frame type 0x{kind:02x}")
    fields: list[int | bytes] = []
    for _ in range(numbers):
        value, position = decode_varint(data, position)
        fields.append(value)
    if with_bytes:
        size, position = decode_varint(data, position)
        tail, position = _take(data, position, size)
        fields.append(tail)
    return build(*fields), position


def _take(data: bytes, position: int, size: int) -> tuple[bytes, int]:
    end = position + size
    if end > len(data):
        raise IncompleteError
    return data[position:end], end
