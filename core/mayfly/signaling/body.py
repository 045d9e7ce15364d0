"""The bytes inside a code, version 1: core/PROTOCOL.md has the table, this is its codec.

A first byte (version, kind, DTLS setup), the expiry, the digest of the offer in answers, the fingerprint, the ICE
credentials at 6 bits a character, and candidates until the end. Every body has exactly one byte form.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from ipaddress import IPv4Address, IPv6Address
from re import compile as compile_pattern
from typing import NamedTuple
from uuid import UUID

from mayfly.signaling import rules
from mayfly.signaling.description import Candidate, CandidateType, Description, Kind, Setup

VERSION = 1
EPOCH = 1_704_067_200
"""2024-01-01T00:00:00Z in Unix seconds. An expiry counts minutes from there."""

MAX_MINUTES = 0xFFFFFF
DIGEST_LENGTH = 6

_KINDS = (Kind.OFFER, Kind.ANSWER)
_SETUPS = (Setup.ACTPASS, Setup.ACTIVE, Setup.PASSIVE)
_TYPES = (CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAYED)
_IPV4, _IPV6, _MDNS_UUID, _MDNS_NAME = range(4)
_LOCAL = ".local"
_UUID = compile_pattern(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class BodyError(ValueError):
    """The bytes are not a body of version 1."""


class UnknownKindError(BodyError):
    """A version 1 body of a kind that this program does not know."""


class Body(NamedTuple):
    """What a body says. `minutes` counts from EPOCH; `offer` is the offer's digest in an answer, else empty."""

    description: Description
    minutes: int
    offer: bytes


def encode(body: Body) -> bytes:
    """The body's only byte form. Raises ValueError when it breaks a rule."""
    description = body.description
    rules.check(description)
    if not 0 <= body.minutes <= MAX_MINUTES:
        raise ValueError("the expiry does not fit a code")
    if len(body.offer) != (DIGEST_LENGTH if description.kind is Kind.ANSWER else 0):
        raise ValueError("an answer carries the digest of its offer, and an offer none")
    first = VERSION << 5 | _KINDS.index(description.kind) << 2 | _SETUPS.index(description.setup)
    return b"".join(
        [
            bytes([first]),
            body.minutes.to_bytes(3, "big"),
            body.offer,
            description.fingerprint,
            _encode_credentials(description.ufrag, description.password),
            *map(_encode_candidate, description.candidates),
        ]
    )


def decode(data: bytes) -> Body:
    """The reverse of encode, for bytes from anywhere. Raises BodyError, or its UnknownKindError."""
    reader = _Reader(data)
    first = reader.number(1)
    kind, setup = first >> 2 & 7, first & 3
    if first >> 5 != VERSION:
        raise BodyError("the version is not 1")
    if kind >= len(_KINDS):
        raise UnknownKindError("the kind is not known")
    if setup >= len(_SETUPS):
        raise BodyError("the DTLS role is not known")
    minutes = reader.number(3)
    offer = reader.take(DIGEST_LENGTH) if _KINDS[kind] is Kind.ANSWER else b""
    fingerprint = reader.take(rules.FINGERPRINT_LENGTH)
    ufrag, password = _decode_credentials(reader)
    candidates: list[Candidate] = []
    while reader.left:
        if len(candidates) == rules.MAX_CANDIDATES:
            raise BodyError("there are too many candidates")
        candidates.append(_decode_candidate(reader))
    description = Description(_KINDS[kind], _SETUPS[setup], fingerprint, ufrag, password, tuple(candidates))
    try:
        rules.check(description)
    except ValueError as error:
        raise BodyError(str(error)) from None
    return Body(description, minutes, offer)


class _Reader:
    """Takes bytes from the front, and never fewer than asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._position

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise BodyError("the body ends early")
        self._position += size
        return self._data[self._position - size : self._position]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")


def _encode_credentials(ufrag: str, password: str) -> bytes:
    # The ice-chars are base64's alphabet, so packing 6 bits a character is base64 read backwards.
    text = ufrag + password
    packed = b64decode(text + "A" * (-len(text) % 4), validate=True)[: _packed_size(len(text))]
    return bytes([len(ufrag) - rules.MIN_UFRAG, len(password) - rules.MIN_PASSWORD]) + packed


def _decode_credentials(reader: _Reader) -> tuple[str, str]:
    ufrag_length = reader.number(1) + rules.MIN_UFRAG
    length = ufrag_length + reader.number(1) + rules.MIN_PASSWORD
    packed = reader.take(_packed_size(length))
    padding = len(packed) * 8 - length * 6
    if packed[-1] & (1 << padding) - 1:
        raise BodyError("the padding of the credentials is not zero")
    text = b64encode(packed + b"\0\0").decode("ascii")[:length]
    return text[:ufrag_length], text[ufrag_length:]


def _packed_size(characters: int) -> int:
    return -(-characters * 6 // 8)


def _encode_candidate(candidate: Candidate) -> bytes:
    address = candidate.address
    if isinstance(address, IPv4Address):
        family, raw = _IPV4, address.packed
    elif isinstance(address, IPv6Address):
        family, raw = _IPV6, address.packed
    elif _UUID.fullmatch(label := address.removesuffix(_LOCAL)):
        family, raw = _MDNS_UUID, UUID(label).bytes
    else:
        family, raw = _MDNS_NAME, bytes([len(label)]) + label.encode("ascii")
    return bytes([family << 4 | _TYPES.index(candidate.type)]) + raw + candidate.port.to_bytes(2, "big")


def _decode_candidate(reader: _Reader) -> Candidate:
    first = reader.number(1)
    family, type_ = first >> 4, first & 15
    if type_ >= len(_TYPES):
        raise BodyError("a candidate's type is not known")
    address: IPv4Address | IPv6Address | str
    if family == _IPV4:
        address = IPv4Address(reader.take(4))
    elif family == _IPV6:
        address = IPv6Address(reader.take(16))
    elif family == _MDNS_UUID:
        address = str(UUID(bytes=reader.take(16))) + _LOCAL
    elif family == _MDNS_NAME:
        label = reader.take(reader.number(1)).decode("latin-1")
        if _UUID.fullmatch(label):
            raise BodyError("a candidate's name has a shorter form")
        address = label + _LOCAL
    else:
        raise BodyError("a candidate's address family is not known")
    return Candidate(_TYPES[type_], address, reader.number(2))
