"""HELLO: what each end tells of itself and of its limits before anything else.

The parameters are a sequence of key, length, value, as RFC 9000 §18 writes transport parameters. Unknown keys are
skipped, so that features can be added without a new version; a key may stand once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NoReturn

from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.wire.enums import member
from mayfly.wire.frames import HelloFrame
from mayfly.wire.varint import IncompleteError, decode_varint, encode_varint

VERSION = 1
LOWEST_VERSION = 1

MAX_PARAMETERS = 8192
MAX_TEXT = 256
SESSION_ID_SIZE = 16


class Role(IntEnum):
    """What an end is for. A peer only chats and shares files."""

    PEER = 0
    RELAY = 1
    CLIENT = 2


class Upstream(IntEnum):
    """Where a relay sends streams, and so who else sees them."""

    DIRECT = 0
    PROXY = 1
    TOR = 2
    BRIDGE = 3


class _Key(IntEnum):
    MAX_MESSAGE = 0x01
    MAX_DATA = 0x02
    MAX_STREAM_DATA = 0x03
    MAX_STREAMS = 0x04
    MAX_DATAGRAM = 0x05
    ROLE = 0x06
    POLICY = 0x07
    LIFETIME = 0x08
    SESSION_ID = 0x09
    UPSTREAM = 0x0A


_TEXTS = frozenset({_Key.POLICY, _Key.SESSION_ID})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """One end's HELLO. Limits are what that end accepts: bytes, or numbers of streams."""

    max_message: int
    max_data: int
    max_stream_data: int
    max_streams: int
    max_datagram: int
    session_id: bytes
    role: Role = Role.PEER
    policy: str = ""
    """The exit policy in a few words, for people."""
    lifetime: int | None = None
    """Seconds that this end means to stay."""
    upstream: Upstream | None = None
    """Where a relay sends streams."""

    def encode(self) -> HelloFrame:
        """The frame that says this."""
        values: list[tuple[_Key, bytes]] = [
            (_Key.MAX_MESSAGE, encode_varint(self.max_message)),
            (_Key.MAX_DATA, encode_varint(self.max_data)),
            (_Key.MAX_STREAM_DATA, encode_varint(self.max_stream_data)),
            (_Key.MAX_STREAMS, encode_varint(self.max_streams)),
            (_Key.MAX_DATAGRAM, encode_varint(self.max_datagram)),
            (_Key.SESSION_ID, self.session_id),
            (_Key.ROLE, encode_varint(self.role)),
        ]
        if self.policy:
            values.append((_Key.POLICY, self.policy.encode()[:MAX_TEXT]))
        if self.lifetime is not None:
            values.append((_Key.LIFETIME, encode_varint(self.lifetime)))
        if self.upstream is not None:
            values.append((_Key.UPSTREAM, encode_varint(self.upstream)))
        return HelloFrame(
            VERSION,
            LOWEST_VERSION,
            b"".join(encode_varint(key) + encode_varint(len(value)) + value for key, value in values),
        )

    @classmethod
    def decode(cls, frame: HelloFrame) -> Hello:
        """Read the peer's. Raises RemoteProtocolError for no common version, or for parameters that make no sense."""
        if frame.lowest_version > VERSION or frame.version < LOWEST_VERSION:
            raise RemoteProtocolError(
                ErrorCode.VERSION_UNSUPPORTED,
                "the other side runs a Mayfly whose protocol does not fit this one; both should use the newest",
            )
        integers, texts = _parse(frame.parameters)
        hello = cls(
            max_message=integers.get(_Key.MAX_MESSAGE, 0),
            max_data=integers.get(_Key.MAX_DATA, 0),
            max_stream_data=integers.get(_Key.MAX_STREAM_DATA, 0),
            max_streams=integers.get(_Key.MAX_STREAMS, 0),
            max_datagram=integers.get(_Key.MAX_DATAGRAM, 0),
            session_id=texts.get(_Key.SESSION_ID, b""),
            role=member(Role, integers.get(_Key.ROLE, Role.PEER), Role.PEER),
            policy=texts.get(_Key.POLICY, b"")[:MAX_TEXT].decode(errors="replace"),
            lifetime=integers.get(_Key.LIFETIME),
            upstream=member(Upstream, integers[_Key.UPSTREAM]) if _Key.UPSTREAM in integers else None,
        )
        if hello.max_message < 1200:
            _refuse("it takes no message of 1,200 bytes")
        if len(hello.session_id) != SESSION_ID_SIZE:
            _refuse("its session id is not 16 bytes long")
        return hello


def _parse(data: bytes) -> tuple[dict[_Key, int], dict[_Key, bytes]]:
    if len(data) > MAX_PARAMETERS:
        _refuse("they are too long")
    integers: dict[_Key, int] = {}
    texts: dict[_Key, bytes] = {}
    seen: set[int] = set()
    position = 0
    try:
        while position < len(data):
            number, position = decode_varint(data, position)
            size, position = decode_varint(data, position)
            value = data[position : position + size]
            position += size
            if position > len(data):
                raise IncompleteError
            if number in seen:
                _refuse("one stands twice")
            seen.add(number)
            key = member(_Key, number)
            if key is None:
                continue
            if key in _TEXTS:
                texts[key] = value
                continue
            integers[key], end = decode_varint(value, 0)
            if end != len(value):
                _refuse("a number is longer than it says")
    except IncompleteError:
        _refuse("they are cut short")
    return integers, texts


def _refuse(why: str) -> NoReturn:
    raise RemoteProtocolError(ErrorCode.TRANSPORT_PARAMETER_ERROR, f"the other side's HELLO is wrong: {why}")
