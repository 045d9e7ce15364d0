"""Headers and checksums, as aiortc sees them."""

from __future__ import annotations

from aiortc.rtcsctptransport import CookieAckChunk, parse_packet, serialize_packet
from hypothesis import given
from hypothesis import strategies as st

from mayfly.sctp.packet import Header
from mayfly.sctp.wire import encode_chunk


@given(st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.binary(max_size=50))
def test_sealed_as_aiortc_does_it(source: int, destination: int, tag: int, body: bytes) -> None:
    packet = Header(source, destination, tag).seal(encode_chunk(77, body))
    assert parse_packet(packet)[:3] == (source, destination, tag)
    assert Header(source, destination, tag).opens(packet)


def test_opened_as_aiortc_seals_it() -> None:
    header = Header(5000, 5001, 9)
    packet = serialize_packet(5000, 5001, 9, CookieAckChunk())
    assert header.opens(packet) and packet[:8] == header.prefix
    assert not header.opens(packet[:-1] + b"\x01")
    assert header.unchecked == packet[:8] + bytes(4)
