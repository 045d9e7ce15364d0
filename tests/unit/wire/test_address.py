"""Destinations: RFC 1928 §5, names, and what must not pass for one."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.wire.address import NOWHERE, AddressError, AddressType, Destination, UnknownAddressTypeError

names = st.from_regex(r"\A[a-z]([a-z0-9_-]{0,30}[a-z0-9])?(\.[a-z]{1,9}){0,4}\.?\Z")
hosts = st.builds(IPv4Address, st.integers(0, 2**32 - 1)) | st.builds(IPv6Address, st.integers(0, 2**128 - 1)) | names
destinations = st.builds(Destination, hosts, st.integers(0, 65535))


@given(destination=destinations, before=st.binary(max_size=3), after=st.binary(max_size=3))
def test_round_trip_anywhere(destination: Destination, before: bytes, after: bytes) -> None:
    encoded = destination.encode()
    decoded = Destination.decode(before + encoded + after, len(before))
    assert decoded == (destination, len(before) + len(encoded))
    assert Destination.decode(memoryview(encoded)) == (destination, len(encoded))


@given(destination=destinations, data=st.data())
def test_a_part_is_not_enough(destination: Destination, data: st.DataObject) -> None:
    encoded = destination.encode()
    assert Destination.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))]) is None


@given(data=st.binary(max_size=300), kind=st.none() | st.sampled_from(AddressType))
def test_any_bytes_give_a_plain_destination_or_its_error(data: bytes, kind: AddressType | None) -> None:
    try:
        decoded = Destination.decode(data if kind is None else bytes((kind,)) + data)
    except AddressError:
        return
    if decoded is not None:
        text = str(decoded[0])
        assert text.isascii()
        assert text.isprintable()
        assert " " not in text


@given(text=st.text(max_size=40) | st.builds("{}%{}".format, st.just("fe80::1"), st.text(max_size=9)))
def test_any_text_gives_a_plain_host_or_its_error(text: str) -> None:
    try:
        destination = Destination.parse_host(text, 80)
    except AddressError:
        return
    assert str(destination).isascii()
    assert str(destination).isprintable()


def test_the_layout_of_rfc_1928() -> None:
    assert Destination(IPv4Address("192.0.2.1"), 80).encode().hex() == "01c00002010050"
    assert Destination(IPv6Address("2001:db8::1"), 443).encode().hex() == "0420010db800000000000000000000000101bb"
    assert Destination("example.com", 443).encode() == b"\x03\x0bexample.com\x01\xbb"
    assert NOWHERE.encode() == b"\x01" + bytes(6)


@pytest.mark.parametrize("kind", [0, 2, 5, 255])
def test_other_address_types_have_their_own_error(kind: int) -> None:
    with pytest.raises(UnknownAddressTypeError):
        Destination.decode(bytes((kind,)) + bytes(20))


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("127.0.0.1", IPv4Address("127.0.0.1")),
        ("[::1]", IPv6Address("::1")),
        ("2001:DB8::1", IPv6Address("2001:db8::1")),
        ("Example.COM", "example.com"),
        ("example.com.", "example.com."),
        ("_sip._tcp.example.com", "_sip._tcp.example.com"),
        ("localhost", "localhost"),
        ("a" * 63, "a" * 63),
    ],
)
def test_hosts(text: str, host: object) -> None:
    assert Destination.parse_host(text, 1).host == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        ".a",
        "-a",
        "a-",
        "a b",
        "a\n",
        "a\0b",
        "a\x1b[2J",
        "b\u00fccher.example",
        "a" * 64,
        ".".join(["a" * 60] * 5),
        "[a.b]",
        "[[::1]]",
        "]::1[",
        "[::1",
        "fe80::1%\x1b[2J",
        "fe80::1%a b",
        "fe80::1%\u00fc",
        "::1%",
    ],
)
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(AddressError):
        Destination.parse_host(text, 1)


def test_a_name_on_the_wire_that_is_an_address_becomes_that_address() -> None:
    assert Destination.decode(b"\x03\x09127.0.0.1\x00\x50") == (Destination(IPv4Address("127.0.0.1"), 80), 13)


def test_a_control_character_behind_a_zone_does_not_pass() -> None:
    name = b"fe80::1%\x1b[2J"
    with pytest.raises(AddressError):
        Destination.decode(bytes((3, len(name))) + name + b"\x00\x50")


@pytest.mark.parametrize("port", [-1, 65536])
def test_ports_have_two_bytes(port: int) -> None:
    with pytest.raises(AddressError):
        Destination("a", port)


def test_text_form() -> None:
    assert str(Destination(IPv6Address("::1"), 80)) == "[::1]:80"
    assert str(Destination("example.com", 80)) == "example.com:80"


def test_a_long_hopeless_name_is_refused_quickly() -> None:
    for text in ("a" * 254 + "-", "a-" * 127, ("a." * 127) + "-", "a" * 100_000):
        with pytest.raises(AddressError):
            Destination.parse_host(text, 1)
