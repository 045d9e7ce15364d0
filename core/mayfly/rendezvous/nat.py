"""Which kind of NAT an end is behind, as far as its own offer or answer tells."""

from __future__ import annotations

from mayfly.rendezvous.messages import Nat
from mayfly.signaling.description import CandidateType, Description


def kind(description: Description, symmetric: bool | None) -> Nat:
    """`open` with a public address of its own; else what STUN has shown; else unknown."""
    hosts = [candidate.address for candidate in description.candidates if candidate.type is CandidateType.HOST]
    if any(not isinstance(address, str) and address.version == 4 and address.is_global for address in hosts):
        return "open"
    if symmetric is None:
        return "unknown"
    return "symmetric" if symmetric else "cone"
