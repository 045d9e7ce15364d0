"""What the proxy machines tell their driver."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

from mayfly.wire.address import Destination


class Command(IntEnum):
    """What an application may ask for: CMD of RFC 1928 §4, and Tor's two (socks-extensions §2)."""

    CONNECT = 0x01
    BIND = 0x02
    UDP_ASSOCIATE = 0x03
    RESOLVE = 0xF0
    RESOLVE_PTR = 0xF1


class End(Enum):
    """Why a handshake ended without the relay being asked. The values are words for people."""

    UNKNOWN_PROTOCOL = "the application speaks neither SOCKS nor HTTP"
    MALFORMED = "the application sent a malformed request"
    TOO_LONG = "the application's request is too long"
    LOGIN = "the application gave no user name and password, or wrong ones"
    COMMAND = "the application asked for a command that is not served"
    ADDRESS = "the application asked for an address that is not one"
    ANSWERED = "the request needed no relay"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name and a password, as the bytes that the application sent. Never shown by repr()."""

    username: bytes = field(repr=False)
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for the application, now."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """The handshake is complete: serve this, then call `reply()`.

    `destination` is what to connect to or to look up. For UDP_ASSOCIATE it is the address that the application means
    to send from, often all zeros (RFC 1928 §4). `credentials` are kept even where none are required: different ones
    mean that the application wants its streams kept apart.
    """

    command: Command
    destination: Destination
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """Nothing more comes: flush what was sent, then close the connection."""

    why: End


Event = Send | Request | Close
