"""What a user's settings become for libwebrtc."""

from __future__ import annotations

from ipaddress import IPv6Address

from webrtc import RTCConfiguration, RTCIceServer

from mayfly.signaling.description import Candidate, CandidateType
from mayfly.transport.base import IpPolicy, LinkSettings
from mayfly.transport.connecting import no_turn_server


def configuration(settings: LinkSettings) -> RTCConfiguration:
    """The servers that the policy lets us ask. Raises UsageError for a TURN server that is none."""
    if not all(turn.url.startswith(("turn:", "turns:")) for turn in settings.turn):
        raise no_turn_server()
    servers: list[RTCIceServer] = []
    if settings.ip_policy.asks_stun and settings.stun:
        servers.append(RTCIceServer(urls=[f"stun:{server}" for server in settings.stun]))
    if settings.ip_policy.asks_turn:
        servers += [RTCIceServer(urls=t.url, username=t.username, credential=t.password) for t in settings.turn]
    relayed = settings.ip_policy is IpPolicy.TURN_ONLY
    return RTCConfiguration(ice_servers=servers, ice_transport_policy="relay" if relayed else "all")


def disclosed(candidates: tuple[Candidate, ...], settings: LinkSettings) -> tuple[Candidate, ...]:
    """Those of the gathered candidates that a code may hold: host addresses first, each transport address once."""
    wanted = {CandidateType.RELAYED} if settings.ip_policy is IpPolicy.TURN_ONLY else set(CandidateType)
    kept = [c for c in candidates if c.type in wanted and not _hidden(c, settings.ip_policy)]
    hosts = [c for c in kept if c.type is CandidateType.HOST]
    known = {(c.address, c.port) for c in hosts}
    others = [c for c in kept if c.type is not CandidateType.HOST and (c.address, c.port) not in known]
    limit = settings.config.max_candidates
    return (*hosts[: max(limit - len(others), 0)], *others[:limit])


def checkable(theirs: tuple[Candidate, ...], ours: tuple[Candidate, ...], limit: int) -> tuple[Candidate, ...]:
    """Those of the far end's candidates that we send checks to.

    Our own loopback is none of its business, unless that is where we are ourselves. Names are left out: libwebrtc would
    ask the system's resolver for a `.local` one, and that perhaps a server.
    """
    at_loopback = any(_is_loopback(candidate) for candidate in ours)
    return tuple(
        candidate
        for candidate in theirs[:limit]
        if not isinstance(candidate.address, str) and (at_loopback or not _is_loopback(candidate))
    )


def _is_loopback(candidate: Candidate) -> bool:
    address = candidate.address
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return not isinstance(address, str) and address.is_loopback


def _hidden(candidate: Candidate, policy: IpPolicy) -> bool:
    if isinstance(candidate.address, str) or candidate.address.is_link_local:
        return True
    return policy is IpPolicy.PUBLIC_ONLY and candidate.type is CandidateType.HOST and not candidate.address.is_global
