"""The path in use, read from reports of statistics."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from mayfly.signaling.description import Candidate, CandidateType
from mayfly.transport.farend import FarEnd

CODE = (
    Candidate(CandidateType.SERVER_REFLEXIVE, ip_address("6.6.6.6"), 5000),
    Candidate(CandidateType.RELAYED, ip_address("9.9.9.9"), 5000),
)

pytestmark = pytest.mark.needs("wrtc")


def report(local: tuple[str, str | None], remote: tuple[str, str | None], *, chosen: str | None = "used") -> Any:
    """Two pairs, of which the one in use has these types and addresses; `chosen` is what the transport names."""
    import webrtc

    def made(kind: Any, name: str, **members: object) -> Any:
        """Without the many members that nobody looks at."""
        stats = kind.__new__(kind)
        for member, value in {"id": name, **members}.items():
            setattr(stats, member, value)
        return stats

    def pair(name: str, remote: str, round_trip: float) -> Any:
        ends = {"local_candidate_id": "near", "remote_candidate_id": remote}
        return made(webrtc.RTCIceCandidatePairStats, name, **ends, current_round_trip_time=round_trip)

    def candidate(name: str, kind: str, address: str | None) -> Any:
        kinds = webrtc.RTCIceCandidateType
        return made(webrtc.RTCIceCandidateStats, name, candidate_type=kinds(kind), address=address)

    stats = [
        pair("other", "elsewhere", 9.0),
        pair("used", "far", 0.05),
        made(webrtc.RTCTransportStats, "transport", selected_candidate_pair_id=chosen),
        candidate("near", *local),
        candidate("far", *remote),
        candidate("elsewhere", "host", "192.168.0.9"),
    ]
    return {each.id: each for each in stats}


def test_the_pair_that_the_transport_names_is_the_path() -> None:
    from mayfly.transport.wrtc.path import Selected, selected

    path = selected(report(("srflx", "5.5.5.5"), ("srflx", "6.6.6.6")), CODE)
    through_a_nat = CandidateType.SERVER_REFLEXIVE
    assert path == Selected(through_a_nat, FarEnd(through_a_nat, ip_address("6.6.6.6")), 0.05)


@pytest.mark.parametrize("chosen", [None, "", "gone", "near"])
def test_no_pair_in_use_is_no_path(chosen: str | None) -> None:
    from mayfly.transport.wrtc.path import selected

    assert selected(report(("host", "10.0.0.1"), ("host", "10.0.0.2"), chosen=chosen), CODE) is None
    assert selected({}, CODE) is None


@pytest.mark.parametrize("end", ["near", "far"])
def test_a_pair_whose_candidate_is_gone_is_no_path(end: str) -> None:
    from mayfly.transport.wrtc.path import selected

    stats = report(("host", "10.0.0.1"), ("host", "10.0.0.2"))
    del stats[end]
    assert selected(stats, CODE) is None


@pytest.mark.parametrize(
    ("found", "local", "remote", "known"),
    [
        (("host", "10.0.0.1"), CandidateType.HOST, CandidateType.HOST, True),
        (("relay", "6.6.6.6"), CandidateType.RELAYED, CandidateType.RELAYED, False),
        (("prflx", "6.6.6.6"), CandidateType.SERVER_REFLEXIVE, CandidateType.SERVER_REFLEXIVE, True),
        (("prflx", "9.9.9.9"), CandidateType.SERVER_REFLEXIVE, CandidateType.RELAYED, False),
        (("prflx", "7.7.7.7"), CandidateType.SERVER_REFLEXIVE, None, False),
        (("prflx", "10.0.0.1"), CandidateType.HOST, None, False),
        (("prflx", None), CandidateType.HOST, None, False),
        (("host", "name.local"), CandidateType.HOST, CandidateType.HOST, False),
    ],
)
def test_a_candidate_in_the_terms_of_codes(
    found: tuple[str, str | None], local: CandidateType, remote: CandidateType | None, known: bool
) -> None:
    """Of what no code named libwebrtc may hide the address."""
    from mayfly.transport.wrtc.path import selected

    path = selected(report(found, found), CODE)
    assert path is not None
    assert path.local == local
    assert path.far == FarEnd(remote, ip_address(str(found[1])) if known else None)
