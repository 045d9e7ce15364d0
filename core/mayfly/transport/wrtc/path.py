"""The path in use, read from libwebrtc's statistics.

They are asked for, and come a moment later. `RTCIceTransport.get_selected_candidate_pair` would answer at once, but it
names another pair than the one in use where a far end's checks come before its candidates, as from behind a NAT.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

from webrtc import RTCIceCandidatePairStats, RTCIceCandidateStats, RTCStats, RTCTransportStats

from mayfly.signaling.description import Candidate, CandidateType
from mayfly.transport.farend import FarEnd, named, peer_reflexive


@dataclass(frozen=True, slots=True)
class Selected:
    """As in `base.PathInfo`."""

    local: CandidateType | None = None
    far: FarEnd = field(default_factory=FarEnd)
    round_trip: float | None = None


def selected(report: Mapping[str, RTCStats], code: Iterable[Candidate]) -> Selected | None:
    """What a report says of the pair in use; None where there is none. `code` is what the far end's named."""
    ids = (stats.selected_candidate_pair_id for stats in report.values() if isinstance(stats, RTCTransportStats))
    pair = report.get(next(ids, None) or "")
    if not isinstance(pair, RTCIceCandidatePairStats):
        return None
    local, remote = report.get(pair.local_candidate_id), report.get(pair.remote_candidate_id)
    if not isinstance(local, RTCIceCandidateStats) or not isinstance(remote, RTCIceCandidateStats):
        return None
    return Selected(_local_type(local), _far_end(remote, code), pair.current_round_trip_time)


def _local_type(candidate: RTCIceCandidateStats) -> CandidateType:
    """Our own end in codes' terms. A peer-reflexive one is a NAT's where it is public."""
    address = _address(candidate)
    if (kind := _type(candidate)) is not None:
        return kind
    return CandidateType.SERVER_REFLEXIVE if address is not None and address.is_global else CandidateType.HOST


def _far_end(candidate: RTCIceCandidateStats, code: Iterable[Candidate]) -> FarEnd:
    address = _address(candidate)
    kind = _type(candidate)
    return peer_reflexive(address, code) if kind is None else named(kind, address)


def _type(candidate: RTCIceCandidateStats) -> CandidateType | None:
    """None for a peer-reflexive one."""
    found = str(getattr(candidate.candidate_type, "value", candidate.candidate_type))
    return None if found == "prflx" else CandidateType(found)


def _address(candidate: RTCIceCandidateStats) -> IPv4Address | IPv6Address | None:
    with suppress(ValueError):
        return ip_address(candidate.address or "")
    return None
