"""Connections to a bridge through its extended ORPort, so that the bridge counts who came over Mayfly."""

from __future__ import annotations

import asyncio
import secrets
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

from mayfly.errors import UsageError
from mayfly.pt.environment import TRANSPORT
from mayfly.pt.extended import NONCE_SIZE, ExtendedPortError, Introduction, parse_cookie
from mayfly.wire.address import Destination
from mayfly_relay.outgoing import open_socket
from mayfly_relay.upstream import connect_error, looks_up_nothing

TIMEOUT = 10.0
"""Seconds for the connection and the handshake. The bridge is a program nearby."""


@dataclass(frozen=True, slots=True)
class ExtendedPort:
    """A bridge's extended ORPort, and the file that proves that we may use it."""

    address: IPv4Address | IPv6Address
    port: int
    cookie_file: Path

    def check(self) -> None:
        """Look once before any client comes. Raises UsageError."""
        try:
            _read_cookie(self.cookie_file)
        except ExtendedPortError as error:
            raise UsageError(f"--ext-or-cookie: {error.message}.", hint=_HINT) from None

    async def connect(self, user_address: str | None = None) -> socket.socket:
        """A non-blocking socket on which an OR connection can begin. Raises UpstreamError; may be cancelled.

        `user_address` is what the bridge is told of the client, `host:port`; None tells nothing.
        """
        try:
            sock = open_socket(socket.AF_INET if self.address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        except OSError as error:
            raise connect_error(error) from None
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(TIMEOUT):
                await asyncio.get_running_loop().sock_connect(sock, (str(self.address), self.port))
                await self._introduce(sock, user_address)
        except OSError as error:
            sock.close()
            raise connect_error(error) from None
        except BaseException:
            sock.close()
            raise
        return sock

    async def _introduce(self, sock: socket.socket, user_address: str | None) -> None:
        # Read anew each time: tor makes a new cookie whenever it starts.
        cookie = _read_cookie(self.cookie_file)
        machine = Introduction(cookie, secrets.token_bytes(NONCE_SIZE), TRANSPORT, user_address)
        loop = asyncio.get_running_loop()
        while not machine.done:
            data = b""
            while len(data) < machine.wanted and (piece := await loop.sock_recv(sock, machine.wanted - len(data))):
                data += piece
            if reply := machine.receive(data):
                await loop.sock_sendall(sock, reply)


@dataclass(frozen=True, slots=True)
class CoarseAddress:
    """How much of a client's address the bridge is told: so many leading bits, the others are zero."""

    bits4: int
    bits6: int

    def of(self, address: IPv4Address | IPv6Address | None) -> str | None:
        """The address as the extended ORPort takes it; None for one that is not known."""
        if address is None:
            return None
        bits = self.bits4 if address.version == 4 else self.bits6
        host = ip_network((address, bits), strict=False).network_address
        return f"{host}:1" if host.version == 4 else f"[{host}]:1"  # a port of the client's would tell more of it


class ExtendedUpstream:
    """The way of one client to the bridge: an Upstream."""

    def __init__(self, port: ExtendedPort, user_address: str | None) -> None:
        self._port = port
        self._user_address = user_address

    async def connect(self, destination: Destination) -> socket.socket:
        """As Upstream.connect, to the bridge, whatever was asked for."""
        return await self._port.connect(self._user_address)

    async def resolve(self, destination: Destination) -> Destination:
        """A bridge looks up nothing. Raises UpstreamError."""
        raise looks_up_nothing()


def _read_cookie(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return parse_cookie(file.read(1024))
    except OSError as error:
        raise ExtendedPortError(f"the cookie file cannot be read: {error.strerror}") from None


_HINT = "Name the file that tor writes for ExtORPort, extended_orport_auth_cookie in its data directory."
