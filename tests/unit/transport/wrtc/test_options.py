"""What libwebrtc is told, and which candidates a code may hold and which are checked."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

pytest.importorskip("webrtc")  # in CI the dev extra brings it; test_link_wrtc.py fails there without

from mayfly.config import LinkConfig
from mayfly.errors import UsageError
from mayfly.signaling.description import Candidate, CandidateType
from mayfly.transport.base import IpPolicy, LinkSettings, TurnServer
from mayfly.transport.wrtc.options import checkable, configuration, disclosed

TURN = TurnServer("turn:turn.example:3478", "user", "word")
SERVERS = ("one.example:3478", "two.example:3478")


def candidate(kind: CandidateType, address: str, port: int = 5000) -> Candidate:
    return Candidate(kind, ip_address(address), port)


PRIVATE = candidate(CandidateType.HOST, "192.168.1.5")
PUBLIC = candidate(CandidateType.HOST, "2a00::5")
MAPPED = candidate(CandidateType.SERVER_REFLEXIVE, "93.184.216.34")
RELAYED = candidate(CandidateType.RELAYED, "93.184.216.99")
LINK_LOCAL = candidate(CandidateType.HOST, "fe80::1")
EVERYTHING = (MAPPED, PRIVATE, LINK_LOCAL, RELAYED, PUBLIC)


@pytest.mark.parametrize(
    ("policy", "stun", "turn"),
    [
        (IpPolicy.ALL, True, True),
        (IpPolicy.PUBLIC_ONLY, True, True),
        (IpPolicy.NO_STUN, False, False),
        (IpPolicy.TURN_ONLY, False, True),
    ],
)
def test_only_servers_that_the_policy_allows_are_asked(policy: IpPolicy, stun: bool, turn: bool) -> None:
    found = configuration(LinkSettings(stun=SERVERS, turn=(TURN,), ip_policy=policy))
    urls = [
        url for server in found.ice_servers for url in ([server.urls] if isinstance(server.urls, str) else server.urls)
    ]
    assert urls == [f"stun:{server}" for server in SERVERS if stun] + ([TURN.url] if turn else [])
    assert found.ice_transport_policy == ("relay" if policy is IpPolicy.TURN_ONLY else "all")


def test_a_turn_server_has_a_url_of_its_own_kind() -> None:
    with pytest.raises(UsageError, match="turn:HOST:PORT"):
        configuration(LinkSettings(turn=(TurnServer("stun:host", "u", "w"),)))


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (IpPolicy.ALL, (PRIVATE, PUBLIC, MAPPED, RELAYED)),
        (IpPolicy.NO_STUN, (PRIVATE, PUBLIC, MAPPED, RELAYED)),
        (IpPolicy.PUBLIC_ONLY, (PUBLIC, MAPPED, RELAYED)),
        (IpPolicy.TURN_ONLY, (RELAYED,)),
    ],
)
def test_the_policy_rules_what_a_code_holds(policy: IpPolicy, kept: tuple[Candidate, ...]) -> None:
    assert disclosed(EVERYTHING, LinkSettings(ip_policy=policy)) == kept


def test_an_address_that_needs_no_nat_is_told_once_and_the_count_is_limited() -> None:
    same = candidate(CandidateType.SERVER_REFLEXIVE, "2a00::5")
    assert disclosed((PUBLIC, same), LinkSettings()) == (PUBLIC,)
    many = tuple(candidate(CandidateType.HOST, "192.168.1.5", port) for port in range(1, 40))
    few = disclosed((*many, MAPPED), LinkSettings(config=LinkConfig(max_candidates=4)))
    assert few == (*many[:3], MAPPED)


LOOPBACK = candidate(CandidateType.HOST, "127.0.0.1")
MAPPED_LOOPBACK = candidate(CandidateType.HOST, "::ffff:127.0.0.1")
NAMED = Candidate(CandidateType.HOST, "0b7fe2a8-3b0e-4ee4-8a05-c67b9e9e6cd1.local", 5000)


def test_our_loopback_and_names_are_left_alone() -> None:
    theirs = (PRIVATE, LOOPBACK, MAPPED_LOOPBACK, NAMED, MAPPED)
    assert checkable(theirs, (PRIVATE,), 16) == (PRIVATE, MAPPED)
    assert checkable(theirs, (LOOPBACK,), 16) == (PRIVATE, LOOPBACK, MAPPED_LOOPBACK, MAPPED)
    assert checkable(theirs, (LOOPBACK,), 2) == (PRIVATE, LOOPBACK)
