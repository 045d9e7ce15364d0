"""The records of a chat stream. See core/PROTOCOL.md, "Chat".

The opener of a stream writes Hello, Roster, Joins, Leaves and Message; the other half carries Taken and Receipt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Final

from mayfly.chat.fates import Fate
from mayfly.wire.enums import member
from mayfly.wire.record import MAX_HEAD, Body, head, record
from mayfly.wire.varint import encode_varint, prefixed

ID_SIZE: Final = 16
"""Bytes of a key, and of a participant id."""

MAX_TEXT: Final = 16 * 1024
"""Bytes of UTF-8 in one message."""

MAX_NAME: Final = 64
"""Characters of a name, each at most four bytes."""

MAX_NAMES: Final = 64
"""Names in one record."""

MAX_RECORD: Final = 20 * 1024
"""Bytes of a body, also of one whose type is unknown."""

MAX_TIME: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, so that every time can be shown."""

_FORWARDS: Final = 0x01


class ChatError(ValueError):
    """The bytes are no record, or break a rule of the chat. The message is fixed text, never the peer's."""


class Half(Enum):
    """The two halves of a chat stream."""

    SAY = "what the opener says"
    BACK = "what comes back"


class Type(IntEnum):
    """Record types."""

    HELLO = 1
    ROSTER = 2
    JOINED = 3
    LEFT = 4
    MESSAGE = 5
    TAKEN = 16
    RECEIPT = 17


def participant_id(key: bytes) -> bytes:
    """The id that everybody may see, made from the key that only direct neighbours see: SHA-256, its first 16 bytes."""
    return hashlib.sha256(b"mayfly chat participant" + key).digest()[:ID_SIZE]


@dataclass(frozen=True, slots=True)
class Hello:
    """First on each stream: who speaks, and whether it passes on what others say."""

    key: bytes = field(repr=False)
    name: str
    forwards: bool = False

    def encode(self) -> bytes:
        """The whole record."""
        flags = _FORWARDS if self.forwards else 0
        return record(Type.HELLO, _id(self.key), encode_varint(flags), _name(self.name))


@dataclass(frozen=True, slots=True)
class Roster:
    """What the sender calls the reader, and who else is there, without the two of them."""

    you: str
    names: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The whole record."""
        return record(Type.ROSTER, _name(self.you), _count(len(self.names)), *map(_name, self.names))


@dataclass(frozen=True, slots=True)
class Joins:
    """Somebody else is there now."""

    name: str

    def encode(self) -> bytes:
        """The whole record."""
        return record(Type.JOINED, _name(self.name))


@dataclass(frozen=True, slots=True)
class Leaves:
    """Somebody else is there no more."""

    name: str

    def encode(self) -> bytes:
        """The whole record."""
        return record(Type.LEFT, _name(self.name))


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `sender` is a name that its writer announced, `to` one that its reader did, or empty."""

    origin: bytes
    id: int
    time: int
    sender: str
    to: str
    text: str

    def encode(self) -> bytes:
        """The whole record."""
        text = self.text.encode()
        if len(text) > MAX_TEXT:
            raise ChatError("a message is too long")
        if not 0 <= self.time <= MAX_TIME:
            raise ChatError("a time lies beyond the year 9999")
        return record(
            Type.MESSAGE,
            _id(self.origin),
            _number(self.id),
            encode_varint(self.time),
            _name(self.sender),
            _name(self.to),
            prefixed(text),
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """A message has come: all whom it is for, and its fate at each so far."""

    origin: bytes
    id: int
    fates: tuple[tuple[str, Fate], ...]

    def encode(self) -> bytes:
        """The whole record."""
        fates = (_name(name) + encode_varint(fate) for name, fate in self.fates)
        return record(Type.TAKEN, _id(self.origin), _number(self.id), _count(len(self.fates)), *fates)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message's fate at one of those whom it is for has changed."""

    origin: bytes
    id: int
    name: str
    fate: Fate

    def encode(self) -> bytes:
        """The whole record."""
        return record(Type.RECEIPT, _id(self.origin), _number(self.id), _name(self.name) + encode_varint(self.fate))


Record = Hello | Roster | Joins | Leaves | Message | Taken | Receipt


class RecordReader:
    """Takes one half's bytes in any pieces and gives its records. Unknown types are skipped.

    It holds what was fed and not yet read, and refuses a record above MAX_RECORD as soon as its length has come.
    """

    def __init__(self, half: Half) -> None:
        self._half = half
        self._buffer = bytearray()
        self._position = 0

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        if self._position:
            del self._buffer[: self._position]
            self._position = 0
        self._buffer += data

    def __len__(self) -> int:
        """Bytes held."""
        return len(self._buffer) - self._position

    def read(self) -> Record | None:
        """The next record; None when more bytes are needed. Raises ChatError, and the half is lost then."""
        while (found := self._next_body()) is not None:
            number, body = found
            kind = member(Type, number)
            if kind is None:
                continue
            half, decode = _DECODERS[kind]
            if half is not self._half:
                raise ChatError("a record came on the wrong half of its stream")
            fields = _Fields(body)
            read = decode(fields)
            fields.end()
            return read
        return None

    def _next_body(self) -> tuple[int, bytes] | None:
        found = head(bytes(self._buffer[self._position : self._position + MAX_HEAD]), 0)
        if found is None:
            return None
        number, at, size = found
        if size > MAX_RECORD:
            raise ChatError("a record is too long")
        start = self._position + at
        if start + size > len(self._buffer):
            return None
        self._position = start + size
        return number, bytes(self._buffer[start : start + size])


class _Fields(Body):
    """The fields of one body, read in order."""

    __slots__ = ()

    error = ChatError

    def count(self) -> int:
        value = self.number()
        if value > MAX_NAMES:
            raise ChatError("a record holds too many names")
        return value

    def name(self) -> str:
        name = self.text(4 * MAX_NAME)
        if len(name) > MAX_NAME:
            raise ChatError("a name is too long")
        return name

    def message_id(self) -> tuple[bytes, int]:
        origin, number = self.take(ID_SIZE), self.number()
        if number == 0:
            raise ChatError("a message has no number")
        return origin, number

    def fate(self) -> Fate:
        return member(Fate, self.number(), Fate.HELD)

    def time(self) -> int:
        value = self.number()
        if value > MAX_TIME:
            raise ChatError("a time lies beyond the year 9999")
        return value


def _hello(fields: _Fields) -> Hello:
    key, flags = fields.take(ID_SIZE), fields.number()
    return Hello(key, fields.name(), bool(flags & _FORWARDS))


def _roster(fields: _Fields) -> Roster:
    return Roster(fields.name(), tuple(fields.name() for _ in range(fields.count())))


def _message(fields: _Fields) -> Message:
    origin, number = fields.message_id()
    return Message(origin, number, fields.time(), fields.name(), fields.name(), fields.text(MAX_TEXT))


def _taken(fields: _Fields) -> Taken:
    origin, number = fields.message_id()
    return Taken(origin, number, tuple((fields.name(), fields.fate()) for _ in range(fields.count())))


def _receipt(fields: _Fields) -> Receipt:
    origin, number = fields.message_id()
    return Receipt(origin, number, fields.name(), fields.fate())


_DECODERS: Final[dict[Type, tuple[Half, Callable[[_Fields], Record]]]] = {
    Type.HELLO: (Half.SAY, _hello),
    Type.ROSTER: (Half.SAY, _roster),
    Type.JOINED: (Half.SAY, lambda fields: Joins(fields.name())),
    Type.LEFT: (Half.SAY, lambda fields: Leaves(fields.name())),
    Type.MESSAGE: (Half.SAY, _message),
    Type.TAKEN: (Half.BACK, _taken),
    Type.RECEIPT: (Half.BACK, _receipt),
}


def _id(value: bytes) -> bytes:
    if len(value) != ID_SIZE:
        raise ChatError("an id has 16 bytes")
    return value


def _number(value: int) -> bytes:
    if value < 1:
        raise ChatError("messages are numbered from 1")
    return encode_varint(value)


def _count(value: int) -> bytes:
    if value > MAX_NAMES:
        raise ChatError("a record holds too many names")
    return encode_varint(value)


def _name(value: str) -> bytes:
    if len(value) > MAX_NAME:
        raise ChatError("a name is too long")
    return prefixed(value.encode())
