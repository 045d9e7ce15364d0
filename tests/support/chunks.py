"""Chunks made by hand, right or wrong."""

from __future__ import annotations

from struct import pack

from hypothesis import strategies as st

from mayfly.sctp import endings
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


_MALFORMED = {
    "a data chunk without data": raw_chunk(0, bytes(12)),
    "half a data chunk": raw_chunk(0, bytes(5)),
    "half a SACK": raw_chunk(3, bytes(5)),
    "a SACK with blocks that are not there": raw_chunk(3, pack("!LLHH", 0, 0, 9, 9)),
    "a parameter of no length": raw_chunk(4, bytes(8)),
    "an error cause of no length": raw_chunk(9, bytes(8)),
    "a chunk that is longer than its packet": raw_chunk(10, b"1234", length=400),
    "a chunk shorter than its header": raw_chunk(10, b"1234", length=2),
    "a short reset": raw_chunk(130, pack("!HHL", 13, 8, 0)),
    "a short response": raw_chunk(130, pack("!HHL", 16, 8, 0)),
    "a half SHUTDOWN": raw_chunk(7, b"12"),
}
HOSTILE = {
    **{name: (chunk, endings.MALFORMED) for name, chunk in _MALFORMED.items()},
    "FORWARD TSN": (raw_chunk(192, bytes(4)), endings.ABANDONED),
    "ABORT": (raw_chunk(6, b""), endings.CLOSED),
}
"""Chunks that end an association, whoever implements it, and the reason that is told."""

CHUNKS = st.builds(
    raw_chunk,
    st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 130, 192, 64, 255]),
    st.binary(max_size=64),
    flags=st.integers(0, 255),
    length=st.one_of(st.none(), st.integers(0, 80)),
)
"""Any, for properties."""
