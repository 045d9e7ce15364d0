"""What a description must satisfy before it may stand in a code or an SDP, whoever made it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from mayfly.config import LinkConfig
from mayfly.signaling.description import Candidate, CandidateType, Description, Kind, Setup

MAX_CANDIDATES = LinkConfig().max_candidates
"""Candidates in one description."""

FINGERPRINT_LENGTH = 32
MIN_UFRAG, MAX_UFRAG = 4, 256
MIN_PASSWORD, MAX_PASSWORD = 22, 256

# RFC 8839 §5.4: ice-char = ALPHA / DIGIT / "+" / "/".
_ICE_CHARACTERS = re.compile(r"[A-Za-z0-9+/]+")
# One label and `.local`, as draft-ietf-mmusic-mdns-ice-candidates §3.3.1 demands; lower case, so that it has one form.
_MDNS_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.local")
_BROADCAST = IPv4Address(0xFFFFFFFF)


def check(description: Description) -> None:
    """Raise ValueError, in words that hold nothing of the peer's, when the description breaks a rule."""
    if len(description.fingerprint) != FINGERPRINT_LENGTH:
        raise ValueError("the fingerprint is not a SHA-256")
    check_credentials(description.ufrag, description.password)
    if description.kind is Kind.ANSWER and description.setup is Setup.ACTPASS:
        raise ValueError("an answer must choose its DTLS role")  # RFC 8842 §5.3
    if len(description.candidates) > MAX_CANDIDATES:
        raise ValueError(f"there are more than {MAX_CANDIDATES} candidates")
    for candidate in description.candidates:
        check_candidate(candidate)


def check_credentials(ufrag: str, password: str) -> None:
    """RFC 8839 §5.4. Raises ValueError."""
    if not (MIN_UFRAG <= len(ufrag) <= MAX_UFRAG and _ICE_CHARACTERS.fullmatch(ufrag)):
        raise ValueError("the ICE user fragment is not valid")
    if not (MIN_PASSWORD <= len(password) <= MAX_PASSWORD and _ICE_CHARACTERS.fullmatch(password)):
        raise ValueError("the ICE password is not valid")


def check_candidate(candidate: Candidate) -> None:
    """Refuse what no peer can be reached at. Raises ValueError."""
    address = candidate.address
    if not 1 <= candidate.port <= 0xFFFF:
        raise ValueError("a candidate's port is not between 1 and 65535")
    if isinstance(address, str):
        if candidate.type is not CandidateType.HOST or not _MDNS_NAME.fullmatch(address):
            raise ValueError("a candidate's name is not an mDNS name")
    elif address.is_unspecified or address.is_multicast or address == _BROADCAST:
        raise ValueError("a candidate's address is not one that a computer can have")
    elif isinstance(address, IPv6Address) and address.scope_id is not None:
        raise ValueError("a candidate's address holds the name of an interface")


def choose(candidates: Iterable[Candidate], limit: int = MAX_CANDIDATES) -> tuple[Candidate, ...]:
    """Keep at most `limit` candidates, without doubles and in their order.

    When some must go, each type keeps its first ones in turn: a computer with twenty interfaces still shows its public
    address.
    """
    unique = list(dict.fromkeys(candidates))
    ranks: dict[CandidateType, int] = dict.fromkeys(CandidateType, 0)
    ranked: list[tuple[int, int]] = []
    for index, candidate in enumerate(unique):
        ranked.append((ranks[candidate.type], index))
        ranks[candidate.type] += 1
    kept: Sequence[int] = sorted(index for _, index in sorted(ranked)[:limit])
    return tuple(unique[index] for index in kept)
