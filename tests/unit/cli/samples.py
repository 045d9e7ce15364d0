"""Real codes, made without a network."""

from __future__ import annotations

from ipaddress import ip_address

from mayfly.signaling.codes import Code
from mayfly.signaling.description import Candidate, CandidateType, Description, Kind, Setup

FAR = 2_000_000_040
"""An expiry in 2033, on a whole minute."""

PAST = 1_720_000_020
"""One in 2024."""

HOST = Candidate(CandidateType.HOST, ip_address("192.168.1.4"), 50000)
PUBLIC = Candidate(CandidateType.SERVER_REFLEXIVE, ip_address("203.0.113.7"), 50001)


def offer(expires: int = FAR) -> Code:
    """An offer with a private and a public address."""
    return Code(Description(Kind.OFFER, Setup.ACTPASS, b"o" * 32, "ufrag", "p" * 22, (HOST, PUBLIC)), expires)


def answer(to: Code | None = None) -> Code:
    """The answer to an offer."""
    description = Description(Kind.ANSWER, Setup.ACTIVE, b"a" * 32, "frag", "q" * 22, (HOST,))
    return Code(description, FAR, (to or offer()).digest)
