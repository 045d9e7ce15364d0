"""The look at a packet: accepts what the stacks send, refuses what aiortc would choke on, and always ends."""

from __future__ import annotations

from struct import pack

import pytest
from aiortc.rtcsctptransport import parse_packet, serialize_packet
from hypothesis import given
from hypothesis import strategies as st

from mayfly.transport.aiortc.stock_check import MalformedPacketError, check_packet
from support.chunks import raw_chunk
from support.stock_sctp import data_chunk

HEADER = bytes(12)


@pytest.mark.parametrize(
    "chunk",
    [
        bytes(data_chunk(1, b"x")),
        raw_chunk(1, bytes(16) + pack("!HH", 0xC000, 4) + pack("!HHBBBB", 0x8008, 6, 192, 130, 0, 0)),
        raw_chunk(3, pack("!LLHHHHL", 1, 2, 1, 1, 2, 3, 4)),
        raw_chunk(4, pack("!HHL", 1, 8, 0)),
        raw_chunk(6, b""),
        raw_chunk(7, bytes(4)),
        raw_chunk(8, b""),
        raw_chunk(10, bytes(24)),
        raw_chunk(130, pack("!HHLLLHH", 13, 18, 1, 2, 3, 0, 0)),
        raw_chunk(77, b"unknown"),
    ],
)
def test_good_chunks_pass_alone_and_together(chunk: bytes) -> None:
    check_packet(HEADER + chunk)
    if chunk[0] != 1:
        check_packet(HEADER + chunk + bytes(data_chunk(1, b"x")))


@pytest.mark.parametrize("packet", [b"", HEADER, HEADER + b"\x00\x00\x00", HEADER + raw_chunk(6, b"") + b"\x00"])
def test_torn_packets(packet: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        check_packet(packet)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), min_size=1, max_size=4))
def test_whatever_passes_is_parsed_by_aiortc_without_surprise(chunks: list[tuple[int, bytes]]) -> None:
    raw = b"".join(raw_chunk(kind, body) for kind, body in chunks)
    packet = serialize_packet(1, 2, 3, raw)  # type: ignore[arg-type]
    try:
        check_packet(packet)
    except MalformedPacketError:
        return
    parse_packet(packet)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_answer(packet: bytes) -> None:
    try:
        check_packet(packet)
    except MalformedPacketError:
        return
