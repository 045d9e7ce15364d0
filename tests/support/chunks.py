"""Chunks made by hand, right or wrong."""

from __future__ import annotations

from struct import pack

from support.associations import OurEnd


def data_chunk(
    tsn: int, data: bytes, *, flags: int = 0x07, stream: int = 0, sequence: int = 0, protocol: int = 53
) -> bytes:
    """A DATA chunk, by default a whole unordered binary message."""
    head = pack("!BBHLHHL", 0, flags, 16 + len(data), tsn % 2**32, stream, sequence, protocol)
    return head + data + bytes(-len(data) % 4)


def raw_chunk(kind: int, body: bytes, *, flags: int = 0, length: int | None = None) -> bytes:
    """Any chunk, right or wrong."""
    return pack("!BBH", kind, flags, 4 + len(body) if length is None else length) + body + bytes(-len(body) % 4)


def following(end: OurEnd) -> int:
    """The TSN that an end expects next."""
    return (end.association._receiver.last + 1) % 2**32
