"""Whose request it is, through proxies that are trusted and lies that are not."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly_broker import prefixes
from mayfly_broker.prefixes import LOCAL, Prefixes

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2::3", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_prefixes(address: str, expected: str) -> None:
    assert prefixes.prefix_of(address) == expected


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.7", "", "203.0.113.0"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.0"),  # not a proxy of ours: hearsay
        ("10.0.0.1", "198.51.100.1", "198.51.100.0"),
        ("10.0.0.1", "192.0.2.9, 198.51.100.1", "198.51.100.0"),  # the first entry is the client's own invention
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.0"),
        ("10.0.0.1", "", LOCAL),
        ("10.0.0.1", "nonsense", LOCAL),
        ("10.0.0.1", "10.0.0.2", "10.0.0.0"),
        (None, "198.51.100.1", "198.51.100.0"),
        (None, "", LOCAL),
        ("::1", " 2001:db8::1 ", "2001:db8::"),
    ],
)
def test_who_asks(peer: str | None, forwarded: str, expected: str) -> None:
    assert Prefixes(TRUSTED).of(peer, forwarded) == expected


def test_trust() -> None:
    known = Prefixes(TRUSTED)
    assert [known.trusts(peer) for peer in (None, "10.9.9.9", "::1", "11.0.0.1", "x")] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_name_depends_on_prefix_and_key_and_shows_neither() -> None:
    first = prefixes.name(b"k" * 32, "203.0.113.0")
    assert first == prefixes.name(b"k" * 32, "203.0.113.0")
    assert len({first, prefixes.name(b"l" * 32, "203.0.113.0"), prefixes.name(b"k" * 32, "203.0.114.0")}) == 3
    assert "203" not in first


@given(st.none() | st.ip_addresses().map(str) | st.text(max_size=20), st.text(max_size=60))
def test_foreign_headers_give_a_prefix_and_nothing_else(peer: str | None, forwarded: str) -> None:
    found = Prefixes(TRUSTED).of(peer, forwarded)
    if found != LOCAL:
        ip_address(found)
