"""Variable-length integers, RFC 9000 §16: two bits of length, then 6, 14, 30 or 62 bits of value."""

from __future__ import annotations

MAX_VARINT = (1 << 62) - 1


class IncompleteError(ValueError):
    """The bytes end in the middle of a value."""


def encode_varint(value: int) -> bytes:
    """The shortest form of `value`. Raises ValueError outside 0 … 2^62-1."""
    if value < 0x40:
        if value < 0:
            raise ValueError("a varint cannot be negative")
        return bytes((value,))
    if value < 0x4000:
        return (value | 0x4000).to_bytes(2, "big")
    if value < 0x4000_0000:
        return (value | 0x8000_0000).to_bytes(4, "big")
    if value <= MAX_VARINT:
        return (value | 0xC000_0000_0000_0000).to_bytes(8, "big")
    raise ValueError("a varint has at most 62 bits")


def decode_varint(data: bytes, start: int) -> tuple[int, int]:
    """The value at `start` and the position behind it. Raises IncompleteError. Longer forms are accepted."""
    try:
        first = data[start]
    except IndexError:
        raise IncompleteError from None
    if first < 0x40:
        return first, start + 1
    size = 1 << (first >> 6)
    end = start + size
    if end > len(data):
        raise IncompleteError
    return int.from_bytes(data[start:end], "big") & ((1 << (8 * size - 2)) - 1), end


def prefixed(data: bytes) -> bytes:
    """Bytes behind their length."""
    return encode_varint(len(data)) + data
