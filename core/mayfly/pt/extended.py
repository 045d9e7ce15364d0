"""Our side of a bridge's extended ORPort (Tor's ext-orport-spec): prove that we may, say who we are, then carry on.

::

    TYPES ──► HASHES ──► STATUS ──► REPLY ──► OPEN
      └─────────┴──────────┴──────────┴─────► (ExtendedPortError)

    bridge                                we
    AuthTypes … 0                    ─►
                                     ◄─   1 (SAFE_COOKIE), ClientNonce
    ServerHash, ServerNonce          ─►
                                     ◄─   ClientHash
    Status 1                         ─►
                                     ◄─   [USERADDR] TRANSPORT DONE
    OKAY                             ─►   from here on the connection is an ordinary OR connection

Both sides prove with HMAC-SHA256 that they have read the cookie file, without showing the cookie, so that a page in a
browser or another program on that port is no use to either.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import Enum

from mayfly.errors import Reply, UpstreamError
from mayfly.pt.environment import NAME

COOKIE_HEADER = b"! Extended ORPort Auth Cookie !\x0a"
COOKIE_SIZE = 32
NONCE_SIZE = 32
MAX_TYPES = 255
"""Bytes of the list of authentication types: each may stand there once."""
MAX_BODY = 1024
"""Bytes of a reply's body. It is ignored, but has to be read; tor sends none."""

_SAFE_COOKIE = 1
_DONE, _USERADDR, _TRANSPORT = 0x0000, 0x0001, 0x0002
_OKAY, _DENY = 0x1000, 0x1001


class ExtendedPortError(UpstreamError):
    """The bridge's extended ORPort does not take us. The message names no address."""

    def __init__(self, message: str) -> None:
        super().__init__(Reply.GENERAL_FAILURE, message)


class _State(Enum):
    TYPES = "types"
    HASHES = "hashes"
    STATUS = "status"
    REPLY = "reply"
    BODY = "body"
    OPEN = "open"


def parse_cookie(content: bytes) -> bytes:
    """The cookie in a cookie file. Raises ExtendedPortError."""
    if len(content) != len(COOKIE_HEADER) + COOKIE_SIZE or not content.startswith(COOKIE_HEADER):
        raise ExtendedPortError("the cookie file is not one of an extended ORPort")
    return content[len(COOKIE_HEADER) :]


class Introduction:
    """The handshake of one connection.

    The driver reads exactly `wanted` bytes, feeds them to `receive`, and sends what that returns, until `done`. So no
    byte that belongs to the OR connection behind the handshake is ever read here.
    """

    def __init__(self, cookie: bytes, nonce: bytes, transport: str, user_address: str | None = None) -> None:
        """`nonce` is NONCE_SIZE random bytes; `user_address` is `host:port`, or None to say nothing of the client."""
        if len(nonce) != NONCE_SIZE or not NAME.fullmatch(transport):
            raise ValueError("a nonce has 32 bytes, and a transport's name is an identifier")
        self._cookie = cookie
        self._nonce = nonce
        self._transport = transport
        self._user_address = user_address
        self._state = _State.TYPES
        self._types = b""
        self._body = 0
        self._okay = False

    @property
    def done(self) -> bool:
        """Whether the connection is now an OR connection."""
        return self._state is _State.OPEN

    @property
    def wanted(self) -> int:
        """How many bytes to read next; 0 when done."""
        match self._state:
            case _State.TYPES | _State.STATUS:
                return 1
            case _State.HASHES:
                return 64
            case _State.REPLY:
                return 4
            case _State.BODY:
                return self._body
            case _State.OPEN:
                return 0

    def receive(self, data: bytes) -> bytes:
        """Take exactly `wanted` bytes; returns what to send. Raises ExtendedPortError."""
        if len(data) != self.wanted or self.done:
            raise ExtendedPortError("the bridge closed the connection to its extended ORPort")
        match self._state:
            case _State.TYPES:
                return self._read_type(data)
            case _State.HASHES:
                return self._read_hashes(data)
            case _State.STATUS:
                return self._read_status(data)
            case _State.REPLY:
                self._read_reply(data)
            case _:
                self._ended_reply()
        return b""

    def _read_type(self, data: bytes) -> bytes:
        if data != b"\0":
            self._types += data
            if len(self._types) > MAX_TYPES:
                raise ExtendedPortError("this is not an extended ORPort")
            return b""
        if _SAFE_COOKIE not in self._types:
            raise ExtendedPortError("the bridge's extended ORPort wants another kind of proof than a cookie")
        self._state = _State.HASHES
        return bytes([_SAFE_COOKIE]) + self._nonce

    def _read_hashes(self, data: bytes) -> bytes:
        theirs, nonce = data[:32], data[32:]
        if not hmac.compare_digest(theirs, self._hash(b"server-to-client", nonce)):
            raise ExtendedPortError("the bridge does not know the cookie: the cookie file is another tor's, or old")
        self._state = _State.STATUS
        return self._hash(b"client-to-server", nonce)

    def _read_status(self, data: bytes) -> bytes:
        if data != b"\1":
            raise ExtendedPortError("the bridge does not accept the cookie")
        self._state = _State.REPLY
        address = b"" if self._user_address is None else _command(_USERADDR, self._user_address.encode("ascii"))
        return address + _command(_TRANSPORT, self._transport.encode("ascii")) + _command(_DONE, b"")

    def _read_reply(self, data: bytes) -> None:
        command, self._body = int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big")
        if command == _DENY:
            raise ExtendedPortError("the bridge wants no more connections for now")
        if self._body > MAX_BODY:
            raise ExtendedPortError("the bridge's extended ORPort does not keep to its protocol")
        self._okay = command == _OKAY  # others are to be ignored
        self._state = _State.BODY
        if not self._body:
            self._ended_reply()

    def _ended_reply(self) -> None:
        self._state = _State.OPEN if self._okay else _State.REPLY

    def _hash(self, direction: bytes, server_nonce: bytes) -> bytes:
        text = b"ExtORPort authentication " + direction + b" hash" + self._nonce + server_nonce
        return hmac.digest(self._cookie, text, hashlib.sha256)


def _command(number: int, body: bytes) -> bytes:
    return number.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body
