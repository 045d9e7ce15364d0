"""disclosure.py: what a code gives away, in words."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given

from mayfly.signaling.description import Candidate, CandidateType, Description, Kind
from mayfly.signaling.disclosure import disclosed, disclosed_types, stays_on_local_network
from support.descriptions import MDNS, PRIVATE, PUBLIC, description, descriptions

HOST, SRFLX, RELAY = CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAYED


@pytest.mark.parametrize(
    ("candidates", "stays"),
    [
        (((HOST, "192.168.1.4"),), True),
        (((HOST, "100.64.0.9"), (SRFLX, "10.0.0.1")), True),
        (((HOST, "127.0.0.1"), (HOST, "192.168.1.4")), True),
        (((HOST, "192.168.1.4"), (SRFLX, "203.0.113.7")), False),
        (((HOST, "192.168.1.4"), (HOST, "2001:db8::1")), False),
        (((HOST, "192.168.1.4"), (RELAY, "10.0.0.1")), False),
        (((HOST, "127.0.0.1"), (HOST, "::1")), False),
        ((), False),
    ],
)
def test_what_nobody_on_another_network_can_reach(
    candidates: tuple[tuple[CandidateType, str], ...], stays: bool
) -> None:
    made = (Candidate(type_, ip_address(address), 5000) for type_, address in candidates)
    assert stays_on_local_network(description(Kind.OFFER, *made)) is stays


@pytest.mark.parametrize(
    ("type_", "address", "words"),
    [
        (HOST, "192.168.1.4", "local network"),
        (HOST, "10.1.2.3", "local network"),
        (HOST, "172.31.0.1", "local network"),
        (HOST, "172.32.0.1", "public"),
        (HOST, "169.254.7.7", "local network"),
        (HOST, "fe80::1", "local network"),
        (HOST, "fd00::1", "local network"),
        (HOST, "::ffff:192.168.1.4", "local network"),
        (HOST, "127.0.0.1", "this computer only"),
        (HOST, "::1", "this computer only"),
        (HOST, "100.64.0.9", "the provider's inner network"),
        (HOST, "2001:db8::1", "public"),
        (SRFLX, "203.0.113.7", "public, as a STUN server saw it"),
        (SRFLX, "10.0.0.1", "local network, as a STUN server saw it"),
        (RELAY, "198.51.100.1", "of a TURN server"),
    ],
)
def test_words(type_: CandidateType, address: str, words: str) -> None:
    parsed = ip_address(address)
    assert disclosed(description(Kind.OFFER, Candidate(type_, parsed, 5000))) == [f"{parsed} ({words})"]


def test_mdns_name() -> None:
    (line,) = disclosed(description(Kind.OFFER, MDNS))
    assert line == f"{MDNS.address} (a local address, hidden behind an mDNS name)"


def test_order_and_doubles() -> None:
    again = Candidate(HOST, PRIVATE.address, 9999)
    lines = disclosed(description(Kind.OFFER, PUBLIC, PRIVATE, again))
    assert [line.split()[0] for line in lines] == ["203.0.113.7", "192.168.1.4"]


def test_in_short() -> None:
    again = Candidate(HOST, PRIVATE.address, 9999)
    short = disclosed_types(description(Kind.OFFER, PRIVATE, PUBLIC, again))
    assert short == ["192.168.1.4 (host)", "203.0.113.7 (srflx)"]


@given(descriptions())
def test_every_address_is_named_and_safe_to_print(shown: Description) -> None:
    for lines in (disclosed(shown), disclosed_types(shown)):
        assert {line.split()[0] for line in lines} == {str(candidate.address) for candidate in shown.candidates}
        assert all(line.isprintable() and line.isascii() for line in lines)
