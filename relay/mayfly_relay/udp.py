"""The relay's side of UDP ASSOCIATE: datagrams of one stream to the network and back.

It behaves like a NAT that filters by address (RFC 4787 §5): what comes back is passed on only from addresses that the
client has sent to. Each destination is resolved and checked once, and then pinned for as long as it is in use.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, ip_address

from mayfly.errors import UpstreamError
from mayfly.runtime.rate import ByteLimiter
from mayfly.runtime.tasks import TaskSet
from mayfly.wire.address import AddressError, Destination
from mayfly_relay.addresses import Address
from mayfly_relay.guard import Guard
from mayfly_relay.limits import ConnectRate, UdpLimits
from mayfly_relay.outgoing import open_socket

_READ_AT_ONCE = 32
"""Datagrams taken from a socket before other work gets its turn."""


class UdpAssociation:
    """One association. Close it when its stream ends.

    `send` takes what came back for the client, `Destination.encode() + data`. `datagrams` bounds how many a client
    sends and `lookups` how often it makes the relay resolve names; a client's associations share both. With
    `outbound` addresses, datagrams leave from these alone.
    """

    def __init__(
        self,
        guard: Guard,
        send: Callable[[bytes], None],
        *,
        limits: UdpLimits,
        datagrams: ByteLimiter,
        lookups: ConnectRate,
        outbound: Sequence[Address] = (),
    ) -> None:
        self._guard = guard
        self._send = send
        self._limits = limits
        self._datagrams = datagrams
        self._lookups = lookups
        self._outbound = outbound
        self._loop = asyncio.get_running_loop()
        self._tasks = TaskSet()
        self._closed = False
        self._active_at = self._loop.time()
        self._sockets: dict[int, socket.socket] = {}
        # Where each destination goes, None where the policy refuses it; and who may answer. Least recently used first.
        self._routes: OrderedDict[Destination, Address | None] = OrderedDict()
        self._peers: OrderedDict[Address, None] = OrderedDict()
        self._waiting: dict[Destination, list[bytes]] = {}
        self._waiting_count = 0

    def receive(self, payload: bytes) -> None:
        """Take one DATAGRAM payload from the client. What is malformed, refused or above a limit is dropped."""
        now = self._loop.time()
        if self._closed or self._datagrams.available(now) < 1:
            return
        self._datagrams.consume(1, now)
        try:
            parsed = Destination.decode(payload)
        except AddressError:
            return
        if parsed is None or parsed[0].port == 0:
            return
        self._active_at = now
        destination, start = parsed
        data = payload[start:]
        if destination in self._routes:
            self._routes.move_to_end(destination)
            self._forward(self._routes[destination], destination.port, data)
        elif isinstance(destination.host, str):
            self._wait_for(destination, data)
        else:
            self._pin(destination, self._guard.check(destination.host, destination.port))
            self._forward(self._routes[destination], destination.port, data)

    @property
    def idle_at(self) -> float:
        """When the association will have been idle for too long, on the loop's clock; later with every datagram."""
        return self._active_at + self._limits.idle_timeout

    @property
    def idle(self) -> bool:
        """Whether no datagram has passed either way for too long."""
        return self._loop.time() >= self.idle_at

    async def close(self) -> None:
        """Close the sockets and forget everything. Idempotent."""
        self._closed = True
        for sock in self._sockets.values():
            self._loop.remove_reader(sock)
            sock.close()
        self._sockets.clear()
        self._waiting.clear()
        await self._tasks.aclose()

    def _wait_for(self, destination: Destination, data: bytes) -> None:
        if self._waiting_count >= self._limits.max_waiting:
            return
        self._waiting_count += 1
        waiting = self._waiting.get(destination)
        if waiting is not None:
            waiting.append(data)
            return
        self._waiting[destination] = [data]
        self._tasks.spawn(self._resolve(destination))

    async def _resolve(self, destination: Destination) -> None:
        try:
            await self._lookups.admit()
            address = (await self._guard.admit(destination))[0]
        except UpstreamError:
            # Not remembered: it may be a passing failure, and lookups are limited anyway.
            address = None
        else:
            self._pin(destination, address)
        waiting = self._waiting.pop(destination, [])
        self._waiting_count -= len(waiting)
        for data in waiting:
            self._forward(address, destination.port, data)

    def _pin(self, destination: Destination, address: Address | None) -> None:
        self._routes[destination] = address
        if len(self._routes) > self._limits.max_peers:
            self._routes.popitem(last=False)

    def _forward(self, address: Address | None, port: int, data: bytes) -> None:
        if address is None or self._closed:
            return
        self._peers[address] = None
        self._peers.move_to_end(address)
        if len(self._peers) > self._limits.max_peers:
            self._peers.popitem(last=False)
        # Where the network or the socket buffer takes no more, or there is no IPv6: UDP may lose it.
        with contextlib.suppress(OSError):
            self._socket(address).sendto(data, (str(address), port))

    def _socket(self, address: Address) -> socket.socket:
        family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
        ours = next((str(each) for each in self._outbound if each.version == address.version), None)
        if self._outbound and ours is None:
            raise OSError(errno.ENETUNREACH, "no outbound address is of this family")
        sock = self._sockets.get(family)
        if sock is None:
            sock = open_socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            try:
                # Bound first, because a socket without a port reports itself readable in error.
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind((ours or ("" if family == socket.AF_INET else "::"), 0))
                self._loop.add_reader(sock, self._readable, sock)
            except BaseException:
                sock.close()
                raise
            self._sockets[family] = sock
        return sock

    def _readable(self, sock: socket.socket) -> None:
        for _ in range(_READ_AT_ONCE):
            try:
                data, source = sock.recvfrom(65535)
            except OSError:  # nothing left, or an ICMP error about something sent earlier
                return
            address = ip_address(source[0].partition("%")[0])
            if address in self._peers:
                self._active_at = self._loop.time()
                self._send(Destination(address, source[1]).encode() + data)
