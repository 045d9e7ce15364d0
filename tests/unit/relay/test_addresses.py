"""Every way of writing a special address is seen for what it is."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly_relay.addresses import METADATA_ADDRESSES, Special, classify, connectable, unwrap

SPECIAL = {
    # The list of issue 2.
    "127.0.0.1": Special.LOOPBACK,
    "::1": Special.LOOPBACK,
    "10.0.0.1": Special.PRIVATE,
    "172.16.0.1": Special.PRIVATE,
    "172.31.255.255": Special.PRIVATE,
    "192.168.1.1": Special.PRIVATE,
    "169.254.1.1": Special.LINK_LOCAL,
    "100.64.0.1": Special.CGNAT,
    "100.127.255.255": Special.CGNAT,
    "fc00::1": Special.PRIVATE,
    "fdff::1": Special.PRIVATE,
    "::ffff:127.0.0.1": Special.LOOPBACK,
    "64:ff9b::7f00:1": Special.LOOPBACK,
    # The rest of the registries.
    "0.0.0.0": Special.UNSPECIFIED,
    "::": Special.UNSPECIFIED,
    "0.1.2.3": Special.THIS_NETWORK,
    "127.255.0.9": Special.LOOPBACK,
    "192.0.0.8": Special.RESERVED,
    "192.0.2.1": Special.DOCUMENTATION,
    "192.88.99.1": Special.RESERVED,
    "198.18.0.1": Special.BENCHMARK,
    "198.19.255.255": Special.BENCHMARK,
    "198.51.100.1": Special.DOCUMENTATION,
    "203.0.113.1": Special.DOCUMENTATION,
    "224.0.0.251": Special.MULTICAST,
    "239.255.255.250": Special.MULTICAST,
    "240.0.0.1": Special.RESERVED,
    "255.255.255.255": Special.BROADCAST,
    "fe80::1": Special.LINK_LOCAL,
    "fec0::1": Special.SITE_LOCAL,
    "ff02::1": Special.MULTICAST,
    "2001:db8::1": Special.DOCUMENTATION,
    "3fff::1": Special.DOCUMENTATION,
    "2001:2::1": Special.BENCHMARK,
    "2001:20::1": Special.RESERVED,
    "100::1": Special.RESERVED,
    "4000::1": Special.RESERVED,
    "5f00::1": Special.RESERVED,
    "64:ff9b:1::808:808": Special.TRANSLATION,
    # Cloud metadata.
    "169.254.169.254": Special.METADATA,
    "fd00:ec2::254": Special.METADATA,
    "100.100.100.200": Special.METADATA,
    "192.0.0.192": Special.METADATA,
    "168.63.129.16": Special.METADATA,
    "::ffff:169.254.169.254": Special.METADATA,
    # One address inside another.
    "::ffff:10.0.0.1": Special.PRIVATE,
    "64:ff9b::a00:1": Special.PRIVATE,
    "2002:7f00:1::": Special.LOOPBACK,
    "2002:c0a8:101:1::5": Special.PRIVATE,
    "::7f00:1": Special.LOOPBACK,
    "::808:808": Special.RESERVED,
    "2001:0:808:808::80ff:fffe": Special.LOOPBACK,  # Teredo: the client's address is written inverted
    "2001:0:7f00:1::f7f7:f7f7": Special.LOOPBACK,  # and the server is contacted as well
}

ORDINARY = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "2001:200::1",
    "2001:0:808:808::f7f7:f7f7",
]


@pytest.mark.parametrize(("text", "special"), SPECIAL.items())
def test_special_addresses(text: str, special: Special) -> None:
    assert classify(ip_address(text)) is special


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_addresses(text: str) -> None:
    assert classify(ip_address(text)) is None


def test_every_metadata_address_is_recognised() -> None:
    assert {classify(address) for address in METADATA_ADDRESSES} == {Special.METADATA}


@pytest.mark.parametrize("text", ["fe80::1%eth0", "2606:4700::1111%1", "::ffff:8.8.8.8%lo", "::1%1"])
def test_a_zone_identifier_is_special_whatever_the_address(text: str) -> None:
    assert classify(ip_address(text)) is Special.ZONE


@pytest.mark.parametrize("text", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])
def test_own_addresses_are_seen_through_every_form(text: str) -> None:
    own = {ip_network("8.8.8.0/24"), ip_network("2606::/64")}
    assert classify(ip_address(text), own) is Special.OWN


def test_own_network_of_ipv6() -> None:
    own = {ip_network("2a00:1450:0:1::/64")}
    assert classify(ip_address("2a00:1450:0:1::99"), own) is Special.OWN
    assert classify(ip_address("2a00:1450:0:2::99"), own) is None


def test_a_wrapper_can_be_an_own_address_itself() -> None:
    assert classify(ip_address("2002:808:808::1"), {ip_network("2002:808:808::/48")}) is Special.OWN


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("64:ff9b::102:304", "1.2.3.4"),
        ("2002:102:304:ffff::1", "1.2.3.4"),
        ("::1.2.3.4", "1.2.3.4"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"),  # the example of RFC 4380 §4
        ("::", "::"),
        ("::1", "::1"),
        ("::2", "0.0.0.2"),
        ("2606:4700::1111", "2606:4700::1111"),
        ("64:ff9b:1::1.2.3.4", "64:ff9b:1::1.2.3.4"),
    ],
)
def test_unwrap(text: str, inner: str) -> None:
    assert unwrap(ip_address(text)) == ip_address(inner)


def test_only_mapped_addresses_are_connected_to_in_another_form() -> None:
    assert connectable(ip_address("::ffff:1.2.3.4")) == ip_address("1.2.3.4")
    for text in ("64:ff9b::102:304", "2002:102:304::1", "1.2.3.4", "2606:4700::1111"):
        assert connectable(ip_address(text)) == ip_address(text)


def wrappings(inner: int) -> list[IPv6Address]:
    return [
        IPv6Address(0xFFFF << 32 | inner),
        IPv6Address(inner),
        IPv6Address(0x0064FF9B << 96 | inner),
        IPv6Address(0x0064FF9B0001 << 80 | inner),
        IPv6Address(0x2002 << 112 | inner << 80 | 1),
        IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | (~inner & 0xFFFFFFFF)),
    ]


@given(st.integers(0, 0xFFFFFFFF))
def test_wrapping_lets_no_special_address_through(number: int) -> None:
    special = classify(IPv4Address(number))
    for wrapped in wrappings(number):
        if special is not None:
            assert classify(wrapped) is not None, wrapped


@given(st.sampled_from([ip_address(text) for text in SPECIAL if "." in text and ":" not in text]), st.data())
def test_the_special_ranges_stay_special_wrapped(address: IPv4Address, data: st.DataObject) -> None:
    wrapped = data.draw(st.sampled_from(wrappings(int(address))))
    assert classify(wrapped) is not None


@given(st.ip_addresses())
def test_what_python_calls_private_is_special(address: IPv4Address | IPv6Address) -> None:
    """Ours is the stricter list: nothing that Python 3.11 knows to be special passes as ordinary."""
    if address.is_private or address.is_reserved or address.is_multicast or address.is_link_local:
        teredo_or_wrapper = isinstance(address, IPv6Address) and unwrap(address) != address
        assert classify(address) is not None or teredo_or_wrapper


@given(st.ip_addresses())
def test_unwrapping_is_done_once_for_all(address: IPv4Address | IPv6Address) -> None:
    assert unwrap(unwrap(address)) == unwrap(address)
