"""Kinds of NAT, from descriptions."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from mayfly.rendezvous.nat import kind
from mayfly.signaling.description import Candidate, CandidateType, Kind
from support.descriptions import MDNS, PRIVATE, PUBLIC, description

OWN = Candidate(CandidateType.HOST, IPv4Address("9.9.9.9"), 5000)


@pytest.mark.parametrize(("symmetric", "found"), [(None, "unknown"), (False, "cone"), (True, "symmetric")])
def test_what_stun_has_shown(symmetric: bool | None, found: str) -> None:
    assert kind(description(Kind.OFFER, PRIVATE, PUBLIC, MDNS), symmetric) == found


def test_a_public_address_of_its_own_is_open() -> None:
    assert kind(description(Kind.OFFER, OWN, PUBLIC), True) == "open"
