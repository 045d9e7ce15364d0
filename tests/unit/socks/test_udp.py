from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.socks import udp
from mayfly.wire.address import Destination
from support.spoilt import spoilt

V4 = Destination(IPv4Address("192.0.2.7"), 53)


def test_a_datagram_on_its_way_out() -> None:
    assert udp.decode(b"\0\0\0\x01\xc0\x00\x02\x07\x00\x35query") == (V4, b"query")


def test_a_datagram_on_its_way_back() -> None:
    assert udp.encode(V4, b"answer") == b"\0\0\0\x01\xc0\x00\x02\x07\x00\x35answer"


@pytest.mark.parametrize("destination", [V4, Destination(IPv6Address("::1"), 1), Destination("a.example", 65535)])
@pytest.mark.parametrize("data", [b"", b"\0" * 1400])
def test_there_and_back(destination: Destination, data: bytes) -> None:
    assert udp.decode(udp.encode(destination, data)) == (destination, data)


def test_the_reserved_bytes_are_not_looked_at() -> None:
    assert udp.decode(b"\x12\x34" + udp.encode(V4, b"x")[2:]) == (V4, b"x")


@pytest.mark.parametrize("fragment", [1, 0x7F, 0x80, 0xFF])
def test_fragments_are_dropped(fragment: int) -> None:
    assert udp.decode(b"\0\0" + bytes([fragment]) + udp.encode(V4, b"x")[3:]) is None


@pytest.mark.parametrize("size", range(10))
def test_a_header_cut_short_is_dropped(size: int) -> None:
    assert udp.decode(udp.encode(V4, b"")[:size]) is None


def test_an_unknown_address_type_is_dropped() -> None:
    assert udp.decode(b"\0\0\0\x02" + b"x" * 30) is None


@given(
    st.binary(max_size=600)
    | st.builds(lambda tail: b"\0\0\0\x03" + tail, st.binary(max_size=400))
    | spoilt(st.binary(max_size=400).map(lambda data: udp.encode(V4, data)))
)
def test_any_bytes_are_read_or_dropped(datagram: bytes) -> None:
    found = udp.decode(datagram)
    if found is not None:
        assert datagram.endswith(found[1])
        assert len(found[1]) <= len(datagram) - 10 or isinstance(found[0].host, str)
