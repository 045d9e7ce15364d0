"""The first bytes of a stream each way: the opener's header names a service, the other end's answer accepts it.

Both are a varint length and that many bytes. The answer holds SOCKS's REP and BND verbatim (RFC 1928 §6), so that the
client's application is told the relay's real reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from mayfly.errors import Reply
from mayfly.wire.address import NOWHERE, AddressError, Destination
from mayfly.wire.enums import member
from mayfly.wire.varint import IncompleteError, decode_varint, encode_varint, prefixed


class Service(IntEnum):
    """What a stream is for."""

    TCP = 1
    RESOLVE = 2
    UDP = 3
    CHAT = 4
    FILE = 5


_WITH_DESTINATION = frozenset({Service.TCP, Service.RESOLVE})


class HeaderError(ValueError):
    """The bytes are no header, or no answer."""


class UnknownServiceError(HeaderError):
    """The header is well formed, but names a service that this version does not know."""


@dataclass(frozen=True, slots=True)
class Header:
    """A stream's service. TCP and RESOLVE have a destination; for RESOLVE an address asks for its name."""

    service: Service
    destination: Destination = NOWHERE

    def encode(self) -> bytes:
        """Length, service, and the destination where there is one."""
        body = encode_varint(self.service)
        if self.service in _WITH_DESTINATION:
            body += self.destination.encode()
        return prefixed(body)

    @classmethod
    def decode(cls, body: bytes) -> Header:
        """Read the bytes behind the length. Raises HeaderError."""
        try:
            number, position = decode_varint(body, 0)
            service = member(Service, number)
            if service is None:
                raise UnknownServiceError(f"service {number} is not known")
            if service not in _WITH_DESTINATION:
                return cls(service)
            decoded = Destination.decode(body, position)
        except (IncompleteError, AddressError) as error:
            raise HeaderError(str(error)) from None
        if decoded is None or decoded[1] != len(body):
            raise HeaderError("the destination does not fill the header")
        return cls(service, decoded[0])


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the service was granted: REP, and BND.ADDR with BND.PORT (for RESOLVE, the result)."""

    reply: Reply
    bound: Destination = NOWHERE

    def encode(self) -> bytes:
        """Length, REP, ATYP, BND.ADDR, BND.PORT."""
        body = bytes((self.reply,)) + self.bound.encode()
        return prefixed(body)

    @classmethod
    def decode(cls, body: bytes) -> Answer:
        """Read the bytes behind the length. Raises HeaderError. A REP unknown to RFC 1928 is a general failure."""
        if not body:
            raise HeaderError("the answer is empty")
        try:
            decoded = Destination.decode(body, 1)
        except AddressError as error:
            raise HeaderError(str(error)) from None
        if decoded is None or decoded[1] != len(body):
            raise HeaderError("the address does not fill the answer")
        return cls(member(Reply, body[0], Reply.GENERAL_FAILURE), decoded[0])


def take_prefixed(data: bytes | bytearray, limit: int) -> tuple[bytes, int] | None:
    """The body behind a length at the start of `data`, and the position after it; None when more bytes are needed.

    Raises HeaderError when the length is above `limit`.
    """
    try:
        size, start = decode_varint(bytes(data[:8]), 0)
    except IncompleteError:
        return None
    if size > limit:
        raise HeaderError("it is too long")
    if len(data) < start + size:
        return None
    return bytes(data[start : start + size]), start + size
