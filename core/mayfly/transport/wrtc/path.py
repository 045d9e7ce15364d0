"""The path in use, read from libwebrtc's statistics.

They are asked for, and come a moment later. `RTCIceTransport.get_selected_candidate_pair` would answer at once, but it
names another pair than the one in use where a far end's checks come before its candidates, as from behind a NAT.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from webrtc import RTCIceCandidatePairStats, RTCIceCandidateStats, RTCStats, RTCTransportStats

from mayfly.signaling.description import CandidateType


@dataclass(frozen=True, slots=True)
class Selected:
    """As in `base.PathInfo`."""

    local: CandidateType | None = None
    remote: CandidateType | None = None
    remote_address: IPv4Address | IPv6Address | None = None
    round_trip: float | None = None


def selected(report: Mapping[str, RTCStats]) -> Selected | None:
    """What a report says of the pair in use; None where there is none."""
    ids = (stats.selected_candidate_pair_id for stats in report.values() if isinstance(stats, RTCTransportStats))
    pair = report.get(next(ids, None) or "")
    if not isinstance(pair, RTCIceCandidatePairStats):
        return None
    local, remote = report.get(pair.local_candidate_id), report.get(pair.remote_candidate_id)
    if not isinstance(local, RTCIceCandidateStats) or not isinstance(remote, RTCIceCandidateStats):
        return None
    kind = _type(remote)
    return Selected(
        local=_type(local) or CandidateType.HOST,
        remote=kind,
        remote_address=None if kind is CandidateType.RELAYED else _address(remote),
        round_trip=pair.current_round_trip_time,
    )


def _type(candidate: RTCIceCandidateStats) -> CandidateType | None:
    """A candidate's type in codes' terms. A peer-reflexive one is a NAT's where it is public, and else anything."""
    found = str(getattr(candidate.candidate_type, "value", candidate.candidate_type))
    if found != "prflx":
        return CandidateType(found)
    address = _address(candidate)
    return CandidateType.SERVER_REFLEXIVE if address is not None and address.is_global else None


def _address(candidate: RTCIceCandidateStats) -> IPv4Address | IPv6Address | None:
    with suppress(ValueError):
        return ip_address(candidate.address or "")
    return None
