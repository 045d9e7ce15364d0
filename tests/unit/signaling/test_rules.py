"""rules.py: what a description may hold, and which candidates stay when there are too many."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given

from mayfly.config import LinkConfig
from mayfly.signaling import rules
from mayfly.signaling.description import Candidate, CandidateType, Description, Kind, Setup
from support.descriptions import MDNS, PRIVATE, PUBLIC, description, descriptions


def hosts(count: int) -> tuple[Candidate, ...]:
    return tuple(replace(PRIVATE, port=1 + number) for number in range(count))


@given(descriptions())
def test_valid(valid: Description) -> None:
    rules.check(valid)


@pytest.mark.parametrize(
    ("ufrag", "password"),
    [(4, 22), (4, 24), (8, 32), (256, 256)],
    ids=["aioice", "Chromium", "Firefox", "RFC 8839 at most"],
)
def test_credentials_that_engines_make(ufrag: int, password: int) -> None:
    rules.check(description(ufrag=ufrag, password=password))


@pytest.mark.parametrize(
    ("ufrag", "password"),
    [
        ("abc", "p" * 22),
        ("a" * 257, "p" * 22),
        ("abcd", "p" * 21),
        ("abcd", "p" * 257),
        ("ab_d", "p" * 22),
        ("abcd", "p" * 21 + "-"),
        ("abcd\n", "p" * 22),
        ("abcd", "p" * 22 + "\n"),
        ("äbcd", "p" * 22),
    ],
)
def test_bad_credentials(ufrag: str, password: str) -> None:
    with pytest.raises(ValueError, match="ICE"):
        rules.check_credentials(ufrag, password)


@pytest.mark.parametrize(
    "candidate",
    [
        replace(PRIVATE, port=0),
        replace(PRIVATE, port=65_536),
        replace(PRIVATE, address=IPv4Address("0.0.0.0")),
        replace(PRIVATE, address=IPv4Address("224.0.0.251")),
        replace(PRIVATE, address=IPv4Address("255.255.255.255")),
        replace(PRIVATE, address=IPv6Address("::")),
        replace(PRIVATE, address=IPv6Address("ff02::fb")),
        replace(PRIVATE, address=IPv6Address("fe80::1%eth0")),
        replace(PRIVATE, address="host.example"),
        replace(PRIVATE, address="two.labels.local"),
        replace(PRIVATE, address="-x.local"),
        replace(PRIVATE, address="UPPER.local"),
        replace(PRIVATE, address="line\n.local"),
        replace(PRIVATE, address="x.local\n"),
        replace(PRIVATE, address="x" * 64 + ".local"),
        replace(MDNS, type=CandidateType.SERVER_REFLEXIVE),
    ],
    ids=lambda candidate: f"{candidate.address!r} {candidate.port}",
)
def test_bad_candidates(candidate: Candidate) -> None:
    with pytest.raises(ValueError, match="candidate"):
        rules.check(description(Kind.OFFER, PUBLIC, candidate))


def test_longest_mdns_name() -> None:
    rules.check_candidate(replace(MDNS, address="x" * 63 + ".local"))


def test_fingerprint_length() -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        rules.check(replace(description(), fingerprint=bytes(31)))


def test_answer_must_choose_its_role() -> None:
    with pytest.raises(ValueError, match="role"):
        rules.check(replace(description(Kind.ANSWER), setup=Setup.ACTPASS))


def test_number_of_candidates_is_the_links_limit() -> None:
    assert LinkConfig().max_candidates == rules.MAX_CANDIDATES
    rules.check(description(Kind.OFFER, *hosts(rules.MAX_CANDIDATES)))
    with pytest.raises(ValueError, match="more than 16"):
        rules.check(description(Kind.OFFER, *hosts(rules.MAX_CANDIDATES + 1)))


def test_choose_keeps_order_and_drops_doubles() -> None:
    assert rules.choose([PUBLIC, PRIVATE, PUBLIC, MDNS]) == (PUBLIC, PRIVATE, MDNS)


def test_choose_keeps_the_first_of_each_type() -> None:
    relayed = replace(PUBLIC, type=CandidateType.RELAYED)
    assert rules.choose([*hosts(20), PUBLIC, relayed], 16) == (*hosts(14), PUBLIC, relayed)


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_choose_limit(limit: int) -> None:
    assert len(rules.choose([*hosts(20), PUBLIC], limit)) == limit
