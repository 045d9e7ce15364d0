"""Destinations as RFC 1928 §5 writes them: ATYP, address, port. Used by SOCKS and by stream headers alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

Host = IPv4Address | IPv6Address | str

# RFC 1123 §2.1 names, and the underscore that service records use. Nothing that could confuse a resolver or a terminal.
# A zone (RFC 4007 §11) may stand behind an IPv6 address, and Python takes any text for one.
_ZONE = re.compile(r"[A-Za-z0-9_.-]+")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?")


class AddressType(IntEnum):
    """ATYP, RFC 1928 §5."""

    IPV4 = 1
    NAME = 3
    IPV6 = 4


class AddressError(ValueError):
    """The bytes or the text are not a destination."""


class UnknownAddressTypeError(AddressError):
    """An ATYP that RFC 1928 does not know; SOCKS answers it with REP 0x08."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A host (an address, or a name that is not yet resolved) and a port. Port 0 stands for none."""

    host: Host
    port: int

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 0xFFFF:
            raise AddressError("the port is not between 0 and 65535")

    @classmethod
    def parse_host(cls, text: str, port: int) -> Destination:
        """Take an address literal or a name. A name that is an address literal becomes that address.

        Raises AddressError for anything that is neither.
        """
        literal = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        try:
            address = ip_address(literal)
        except ValueError:
            address = None
        if address is not None:
            zone = address.scope_id if isinstance(address, IPv6Address) else None
            if zone is not None and not _ZONE.fullmatch(zone):
                raise AddressError("the zone of the address is not a name")
            return cls(address, port)
        if len(text) > 255 or not _NAME.fullmatch(text) or any(len(label) > 63 for label in text.split(".")):
            raise AddressError("the name is not a valid host name")
        return cls(text.lower(), port)

    def encode(self) -> bytes:
        """ATYP, address, port."""
        port = self.port.to_bytes(2, "big")
        if isinstance(self.host, IPv4Address):
            return bytes([AddressType.IPV4]) + self.host.packed + port
        if isinstance(self.host, IPv6Address):
            return bytes([AddressType.IPV6]) + self.host.packed + port
        name = self.host.encode("ascii")
        return bytes([AddressType.NAME, len(name)]) + name + port

    @classmethod
    def decode(cls, data: bytes | bytearray | memoryview, start: int = 0) -> tuple[Destination, int] | None:
        """Read one from `start`. Gives it with the position behind it, or None when more bytes are needed.

        Raises UnknownAddressTypeError or AddressError.
        """
        if len(data) <= start:
            return None
        kind = data[start]
        begin = start + 1
        if kind == AddressType.IPV4:
            size = 4
        elif kind == AddressType.IPV6:
            size = 16
        elif kind == AddressType.NAME:
            if len(data) <= begin:
                return None
            size = data[begin]
            begin += 1
            if size == 0:
                raise AddressError("the name is empty")
        else:
            raise UnknownAddressTypeError(f"address type {kind} is not known")
        end = begin + size
        if len(data) < end + 2:
            return None
        raw = bytes(data[begin:end])
        port = int.from_bytes(data[end : end + 2], "big")
        if kind == AddressType.IPV4:
            return cls(IPv4Address(raw), port), end + 2
        if kind == AddressType.IPV6:
            return cls(IPv6Address(raw), port), end + 2
        try:
            name = raw.decode("ascii")
        except UnicodeDecodeError:
            raise AddressError("the name is not ASCII") from None
        return cls.parse_host(name, port), end + 2

    def __str__(self) -> str:
        host = f"[{self.host}]" if isinstance(self.host, IPv6Address) else str(self.host)
        return f"{host}:{self.port}"


NOWHERE = Destination(IPv4Address(0), 0)
"""What BND.ADDR and BND.PORT say when there is nothing to tell."""
