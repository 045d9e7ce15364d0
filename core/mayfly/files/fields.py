"""The fields of a record's body: varints, texts, and the rest, read with one documented error."""

from __future__ import annotations

from mayfly.errors import MayflyError
from mayfly.wire.varint import IncompleteError, decode_varint, encode_varint


class FilesError(MayflyError):
    """The peer's bytes break the rules of a FILE stream. Ends the transfer, never the session."""

    stage = "files"
    advice = "Use the same version of Mayfly on both sides, and send again."


def field(data: bytes) -> bytes:
    """Bytes behind their length."""
    return encode_varint(len(data)) + data


def optional(value: int | None) -> bytes:
    """A number that may be unknown: 0 when it is, one more than it otherwise."""
    return encode_varint(0 if value is None else value + 1)


def signed(value: int) -> bytes:
    """Eight bytes, two's complement, big-endian. What does not fit is clamped."""
    return max(-(1 << 63), min(value, (1 << 63) - 1)).to_bytes(8, "big", signed=True)


class Body:
    """Reads the fields of one body from front to back. Every method raises FilesError for what cannot be read."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def number(self) -> int:
        """A varint."""
        try:
            value, self._position = decode_varint(self._data, self._position)
        except IncompleteError:
            raise FilesError("a record is cut short") from None
        return value

    def optional(self) -> int | None:
        """What `optional` wrote."""
        value = self.number()
        return value - 1 if value else None

    def signed(self) -> int:
        """What `signed` wrote."""
        return int.from_bytes(self.take(8), "big", signed=True)

    def take(self, size: int) -> bytes:
        """Exactly so many bytes."""
        end = self._position + size
        if end > len(self._data):
            raise FilesError("a record is cut short")
        taken = self._data[self._position : end]
        self._position = end
        return taken

    def text(self, limit: int | None = None) -> str:
        """UTF-8 behind its length, of at most `limit` bytes. Foreign text: what it holds is for others to judge."""
        size = self.number()
        if limit is not None and size > limit:
            raise FilesError("a text is too long")
        try:
            return self.take(size).decode()
        except UnicodeDecodeError:
            raise FilesError("a text is not UTF-8") from None

    def end(self) -> None:
        """Nothing may be left."""
        if self._position != len(self._data):
            raise FilesError("a record is longer than its fields")
