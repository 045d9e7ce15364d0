"""A record: a varint type, a varint length, and that many bytes of fields. The streams of chat and of files hold these.

What the types and the fields mean, and how much a length may say, is for `mayfly.chat` and `mayfly.files`.
"""

from __future__ import annotations

from typing import ClassVar, Final

from mayfly.wire.varint import IncompleteError, decode_varint, encode_varint, prefixed

MAX_HEAD: Final = 16
"""Bytes of a type and a length."""


def record(kind: int, *fields: bytes) -> bytes:
    """A whole record."""
    return encode_varint(kind) + prefixed(b"".join(fields))


def head(data: bytes, position: int) -> tuple[int, int, int] | None:
    """The type of the record that begins there, where its body begins, and its size; None when bytes are missing."""
    try:
        kind, position = decode_varint(data, position)
        size, position = decode_varint(data, position)
    except IncompleteError:
        return None
    return kind, position, size


class Body:
    """Reads the fields of one body from front to back. Every method raises `error` for what cannot be read."""

    __slots__ = ("_data", "_position")

    error: ClassVar[type[Exception]]
    """The error of the protocol whose records these are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def number(self) -> int:
        """A varint."""
        try:
            value, self._position = decode_varint(self._data, self._position)
        except IncompleteError:
            raise self.error("a record is cut short") from None
        return value

    def take(self, size: int) -> bytes:
        """Exactly so many bytes."""
        end = self._position + size
        if end > len(self._data):
            raise self.error("a record is cut short")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def text(self, limit: int | None = None) -> str:
        """UTF-8 behind its length, of at most `limit` bytes. Foreign text: what it holds is for others to judge."""
        size = self.number()
        if limit is not None and size > limit:
            raise self.error("a text is too long")
        try:
            return self.take(size).decode()
        except UnicodeDecodeError:
            raise self.error("a text is not UTF-8") from None

    def end(self) -> None:
        """Nothing may be left."""
        if self._position != len(self._data):
            raise self.error("a record is longer than its fields")
