"""What STUN servers see of our sockets: server-reflexive addresses, and whether they move (RFC 8489, RFC 4787 §4.1)."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address

from aioice import stun
from aioice.stun import TransactionError

from mayfly.errors import UsageError
from mayfly.transport.aiortc.ice import LinkProtocol

DEFAULT_PORT = 3478

_CONFIRM = 0.5
"""Seconds that a second answer may take once there is a first."""

_KEEPALIVE_RETRIES = 2

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class StunServer:
    """Where to ask."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether it is written as a loopback address."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_server(text: str) -> StunServer:
    """Read `host`, `host:port` or `stun:host:port`. Raises UsageError."""
    host, colon, port = text.removeprefix("stun:").rpartition(":")
    if not colon:
        host, port = port, str(DEFAULT_PORT)
    plain = host.replace(".", "").replace("-", "").replace("_", "")
    if not plain.isalnum() or not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65536):
        raise UsageError("a STUN server is written HOST:PORT", hint="write it like --stun stun.example.org:3478")
    return StunServer(host, int(port))


class StunMappings:
    """The mappings of a link's IPv4 sockets.

    Servers are asked at the same time. A loopback socket asks only servers that are given as a loopback address, so
    that a link bound to loopback sends and resolves nothing.
    """

    def __init__(self, servers: tuple[str, ...], timeout: float) -> None:
        self._servers = [parse_server(server) for server in servers]
        self._timeout = timeout
        self._mapped: dict[LinkProtocol, dict[Address, Address]] = {}
        self._news = asyncio.Event()

    @property
    def addresses(self) -> list[Address]:
        """Server-reflexive addresses, one for each socket that has one."""
        return [next(iter(mapped.values())) for mapped in self._mapped.values() if mapped]

    @property
    def symmetric(self) -> bool | None:
        """Whether the NAT maps by destination, so that no server's answer helps; None while fewer than two answered."""
        known = [set(mapped.values()) for mapped in self._mapped.values() if len(mapped) > 1]
        return any(len(seen) > 1 for seen in known) if known else None

    async def gather(self, sockets: list[LinkProtocol]) -> None:
        """Ask every server from every IPv4 socket; return when enough is known, or after the timeout. Never raises."""
        mine = [s for s in sockets if ip_address(s.local_candidate.host).version == 4]
        self._mapped = {protocol: {} for protocol in mine}
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(self._ask_from_all(server, mine)) for server in self._servers]
            waiting: set[asyncio.Task[None]] = set(asking)
            while waiting and not self._enough() and (left := deadline - loop.time()) > 0:
                self._news.clear()
                news = group.create_task(self._news.wait())
                await asyncio.wait([*waiting, news], timeout=left, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                waiting = {task for task in waiting if not task.done()}
                if self.addresses:
                    deadline = min(deadline, loop.time() + _CONFIRM)
            for task in asking:
                task.cancel()

    async def refresh(self) -> bool:
        """Ask again from each mapped socket, which also holds the mapping open. True when one has moved."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._ask_again(protocol)) for protocol, mapped in self._mapped.items() if mapped
            ]
        return any(task.result() for task in tasks)

    def _enough(self) -> bool:
        return bool(self._mapped) and all(len(mapped) > 1 for mapped in self._mapped.values())

    async def _ask_from_all(self, server: StunServer, sockets: list[LinkProtocol]) -> None:
        mine = [s for s in sockets if server.loopback or not ip_address(s.local_candidate.host).is_loopback]
        address = await _resolve(server) if mine else None
        if address is not None:
            async with asyncio.TaskGroup() as group:
                for protocol in mine:
                    group.create_task(self._ask(protocol, address))

    async def _ask(self, protocol: LinkProtocol, server: Address) -> None:
        mapped = await _query(protocol, server)
        if mapped is not None:
            self._mapped[protocol][server] = mapped
            self._news.set()

    async def _ask_again(self, protocol: LinkProtocol) -> bool:
        # The server whose answer is in the code comes first; a symmetric NAT would make another one look like a move.
        for server, before in list(self._mapped[protocol].items()):
            now = await _query(protocol, server, retransmissions=_KEEPALIVE_RETRIES)
            if now is not None:
                self._mapped[protocol] = {server: now}
                return now != before
            if self.symmetric:
                return False
        return False


async def _resolve(server: StunServer) -> Address | None:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            server.host, server.port, family=socket.AF_INET, type=socket.SOCK_DGRAM
        )
    except (OSError, UnicodeError):
        return None
    return (str(found[0][4][0]), server.port) if found else None


async def _query(protocol: LinkProtocol, server: Address, retransmissions: int | None = None) -> Address | None:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    try:
        response, _ = await protocol.request(request, server, retransmissions=retransmissions)
    except TransactionError:
        return None
    mapped: Address | None = response.attributes.get("XOR-MAPPED-ADDRESS")
    if mapped is None:
        return None
    address = ip_address(mapped[0])
    usable = isinstance(address, IPv4Address) and not address.is_multicast and not address.is_unspecified and mapped[1]
    return mapped if usable else None
