"""How a path is named; everything else about a link is tested on a real one, in tests/integration."""

from __future__ import annotations

import pytest
from aioice import Candidate

from mayfly.signaling.description import CandidateType
from mayfly.transport.aiortc.link import _local_type, _remote_type


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


@pytest.mark.parametrize(
    ("remote", "named"),
    [
        (("host", "192.168.1.5"), CandidateType.HOST),
        (("srflx", "8.8.8.8"), CandidateType.SERVER_REFLEXIVE),
        (("relay", "8.8.8.8"), CandidateType.RELAYED),
        (("prflx", "8.8.8.8"), CandidateType.SERVER_REFLEXIVE),
        (("prflx", "192.168.1.6"), None),
    ],
)
def test_the_far_end(remote: tuple[str, str], named: CandidateType | None) -> None:
    assert _remote_type(candidate(*remote)) is named
