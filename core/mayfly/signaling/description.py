"""What one end must know of the other to build a link: a fingerprint, ICE credentials, candidates, the DTLS role."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address


class Kind(Enum):
    """Offer or answer, as in WebRTC."""

    OFFER = "offer"
    ANSWER = "answer"


class Setup(Enum):
    """The DTLS role that an end takes, RFC 8842 `a=setup`. The active end sends the ClientHello."""

    ACTPASS = "actpass"
    ACTIVE = "active"
    PASSIVE = "passive"


class CandidateType(Enum):
    """RFC 8445 §5.1.1."""

    HOST = "host"
    SERVER_REFLEXIVE = "srflx"
    RELAYED = "relay"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A UDP transport address at which an end may be reached. `address` is a str only for an mDNS `.local` name."""

    type: CandidateType
    address: IPv4Address | IPv6Address | str
    port: int


@dataclass(frozen=True, slots=True)
class Description:
    """One end of a link to be. `fingerprint` is the SHA-256 of its certificate (32 bytes)."""

    kind: Kind
    setup: Setup
    fingerprint: bytes
    ufrag: str
    password: str
    candidates: tuple[Candidate, ...]
