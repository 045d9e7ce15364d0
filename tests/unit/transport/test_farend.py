"""Whose address it is at which the far end answers."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.signaling.description import Candidate, CandidateType
from mayfly.transport.farend import FarEnd, named, peer_reflexive

HOST, NAT, TURN = CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAYED

CODE = (
    Candidate(HOST, ip_address("192.168.1.5"), 1000),
    Candidate(HOST, "somewhere.local", 1001),
    Candidate(NAT, ip_address("8.8.8.8"), 1002),
    Candidate(TURN, ip_address("9.9.9.9"), 1003),
)


@pytest.mark.parametrize(
    ("kind", "known"), [(HOST, True), (NAT, True), (TURN, False)], ids=["its own", "its NAT's", "a TURN server's"]
)
def test_what_the_code_named(kind: CandidateType, known: bool) -> None:
    address = ip_address("8.8.8.8")
    assert named(kind, address) == FarEnd(kind, address if known else None)


def test_a_name_whose_address_we_are_not_told() -> None:
    assert named(HOST, None) == FarEnd(HOST)


@pytest.mark.parametrize(
    ("address", "kind", "known"),
    [
        ("8.8.8.8", NAT, True),
        ("192.168.1.5", None, True),
        ("9.9.9.9", TURN, False),
        ("7.7.7.7", None, False),
        ("192.168.1.6", None, False),
    ],
    ids=["another port of its NAT", "another of its own", "another allocation", "unnamed", "unnamed and private"],
)
def test_what_the_code_did_not_name(address: str, kind: CandidateType | None, known: bool) -> None:
    assert peer_reflexive(ip_address(address), CODE) == FarEnd(kind, ip_address(address) if known else None)


def test_an_address_that_is_both_a_turn_servers_and_a_nats_counts_as_the_first() -> None:
    both = (Candidate(NAT, ip_address("9.9.9.9"), 1004), *CODE)
    assert peer_reflexive(ip_address("9.9.9.9"), both) == FarEnd(TURN)


def test_one_that_the_engine_hides() -> None:
    assert peer_reflexive(None, CODE) == FarEnd()


ADDRESSES = st.sampled_from(["8.8.8.8", "9.9.9.9", "10.0.0.1", "2600::1"]).map(ip_address)
CANDIDATES = st.builds(Candidate, st.sampled_from(CandidateType), ADDRESSES, st.integers(1, 65535))


@given(ADDRESSES, st.lists(CANDIDATES, max_size=6))
def test_an_address_is_told_only_where_the_far_end_called_it_its_own(
    address: IPv4Address | IPv6Address, code: list[Candidate]
) -> None:
    called = {candidate.type for candidate in code if candidate.address == address}
    told = peer_reflexive(address, code).address
    assert (told == address) == (bool(called) and TURN not in called)
