"""The fields of a record's body that only files have, and the one error with which all of them are read."""

from __future__ import annotations

from mayfly.errors import MayflyError
from mayfly.wire import record
from mayfly.wire.varint import encode_varint


class FilesError(MayflyError):
    """The peer's bytes break the rules of a FILE stream. Ends the transfer, never the session."""

    stage = "files"
    advice = "Use the same version of Mayfly on both sides, and send again."


def optional(value: int | None) -> bytes:
    """A number that may be unknown: 0 when it is, one more than it otherwise."""
    return encode_varint(0 if value is None else value + 1)


def signed(value: int) -> bytes:
    """Eight bytes, two's complement, big-endian. What does not fit is clamped."""
    return max(-(1 << 63), min(value, (1 << 63) - 1)).to_bytes(8, "big", signed=True)


class Body(record.Body):
    """The fields of one body. Every method raises FilesError for what cannot be read."""

    __slots__ = ()

    error = FilesError

    def optional(self) -> int | None:
        """What `optional` wrote."""
        value = self.number()
        return value - 1 if value else None

    def signed(self) -> int:
        """What `signed` wrote."""
        return int.from_bytes(self.take(8), "big", signed=True)
