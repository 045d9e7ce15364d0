"""How a path is named; everything else about a link is tested on a real one, in tests/integration."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from aioice import Candidate

from mayfly.signaling.description import Candidate as Named
from mayfly.signaling.description import CandidateType
from mayfly.transport.aiortc.link import _far_end, _local_type
from mayfly.transport.farend import FarEnd


def candidate(kind: str, host: str) -> Candidate:
    return Candidate("1", 1, "udp", 1, host, 5000, kind)


@pytest.mark.parametrize(
    ("local", "remote", "named"),
    [
        (("host", "192.168.1.5"), ("host", "192.168.1.6"), CandidateType.HOST),
        (("host", "192.168.1.5"), ("srflx", "8.8.8.8"), CandidateType.SERVER_REFLEXIVE),
        (("host", "9.9.9.9"), ("host", "8.8.8.8"), CandidateType.HOST),
        (("host", "2600::5"), ("host", "2600::6"), CandidateType.HOST),
        (("relay", "9.9.9.9"), ("host", "8.8.8.8"), CandidateType.RELAYED),
    ],
)
def test_our_end(local: tuple[str, str], remote: tuple[str, str], named: CandidateType) -> None:
    assert _local_type(candidate(*local), candidate(*remote)) is named


CODE = (
    Named(CandidateType.HOST, ip_address("192.168.1.5"), 5000),
    Named(CandidateType.SERVER_REFLEXIVE, ip_address("8.8.8.8"), 5000),
    Named(CandidateType.RELAYED, ip_address("9.9.9.9"), 5000),
)


@pytest.mark.parametrize(
    ("remote", "kind", "known"),
    [
        (("host", "192.168.1.5"), CandidateType.HOST, True),
        (("srflx", "8.8.8.8"), CandidateType.SERVER_REFLEXIVE, True),
        (("relay", "9.9.9.9"), CandidateType.RELAYED, False),
        (("prflx", "8.8.8.8"), CandidateType.SERVER_REFLEXIVE, True),
        (("prflx", "9.9.9.9"), CandidateType.RELAYED, False),
        (("prflx", "7.7.7.7"), None, False),
    ],
)
def test_the_far_end(remote: tuple[str, str], kind: CandidateType | None, known: bool) -> None:
    assert _far_end(candidate(*remote), CODE) == FarEnd(kind, ip_address(remote[1]) if known else None)


def test_a_name_is_taken_for_the_address_that_was_found_for_it() -> None:
    remote = candidate("host", "somewhere.local")
    remote._network_host = "192.168.1.7"
    assert _far_end(remote, CODE) == FarEnd(CandidateType.HOST, ip_address("192.168.1.7"))
