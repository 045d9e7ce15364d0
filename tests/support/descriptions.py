"""Descriptions and codes for tests: a typical offer and its answer, and a strategy for every valid description."""

from __future__ import annotations

import string
from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from mayfly.signaling.codes import Code
from mayfly.signaling.description import Candidate, CandidateType, Description, Kind, Setup

NOW = 1_800_000_000
PRIVATE = Candidate(CandidateType.HOST, IPv4Address("192.168.1.4"), 50_123)
PUBLIC = Candidate(CandidateType.SERVER_REFLEXIVE, IPv4Address("203.0.113.7"), 61_234)
MDNS = Candidate(CandidateType.HOST, "0c6a2a52-7d3b-4c1c-8f2a-0d8c6f1e2b3a.local", 54_321)

ICE_CHARACTERS = string.ascii_letters + string.digits + "+/"


def description(kind: Kind = Kind.OFFER, *candidates: Candidate, ufrag: int = 4, password: int = 22) -> Description:
    """A description with credentials of these lengths; the candidates are one private and one public unless given."""
    return Description(
        kind,
        Setup.ACTPASS if kind is Kind.OFFER else Setup.ACTIVE,
        bytes(range(32)),
        (ICE_CHARACTERS * 4)[:ufrag],
        (ICE_CHARACTERS * 8)[-password:],
        candidates or (PRIVATE, PUBLIC),
    )


def offer_code(*candidates: Candidate, expires: int = NOW + 900) -> Code:
    """An offer that is good at NOW."""
    return Code(description(Kind.OFFER, *candidates), expires)


def answer_code(offer: Code, *candidates: Candidate, expires: int = NOW + 900) -> Code:
    """An answer to it that is good at NOW."""
    return Code(description(Kind.ANSWER, *candidates), expires, offer.digest)


def _ice(minimum: int, maximum: int) -> SearchStrategy[str]:
    return st.text(ICE_CHARACTERS, min_size=minimum, max_size=maximum)


_labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
_ports = st.integers(1, 0xFFFF)
_types = st.sampled_from(CandidateType)
_ipv4 = st.ip_addresses(v=4).filter(lambda a: not (a.is_unspecified or a.is_multicast or int(a) == 0xFFFFFFFF))
_ipv6 = st.ip_addresses(v=6).filter(lambda a: not (a.is_unspecified or a.is_multicast))
_addressed: SearchStrategy[IPv4Address | IPv6Address] = st.one_of(_ipv4, _ipv6)
_names = st.one_of(_labels, st.uuids().map(str)).map(lambda label: label + ".local")

candidates: SearchStrategy[Candidate] = st.one_of(
    st.builds(Candidate, _types, _addressed, _ports),
    st.builds(Candidate, st.just(CandidateType.HOST), _names, _ports),
)


@st.composite
def descriptions(draw: DrawFn, kind: Kind | None = None, unique: bool = False) -> Description:
    """Every valid description; with `unique`, no candidate stands in it twice."""
    chosen = kind or draw(st.sampled_from(Kind))
    setups = list(Setup) if chosen is Kind.OFFER else [Setup.ACTIVE, Setup.PASSIVE]
    return Description(
        chosen,
        draw(st.sampled_from(setups)),
        draw(st.binary(min_size=32, max_size=32)),
        draw(_ice(4, 256)),
        draw(_ice(22, 256)),
        tuple(draw(st.lists(candidates, max_size=16, unique=unique))),
    )


@st.composite
def codes(draw: DrawFn) -> Code:
    """Every valid code."""
    shown = draw(descriptions())
    digest = draw(st.binary(min_size=6, max_size=6)) if shown.kind is Kind.ANSWER else b""
    return Code(shown, draw(st.integers(1_704_067_200, 1_704_067_200 + 0xFFFFFF * 60)), digest)
