"""The door: how many connections there are, in all and from each network.

aiohttp counts none, so each connection passes through a thin protocol here. Those on which no request is under way are
cut by aiohttp itself after a while. Where the broker speaks TLS, connections are accepted here: an event loop's own
server tells of one only when its handshake is done, and one that never ends would not count.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import cast

from mayfly.runtime.tasks import TaskSet
from mayfly_broker.limits import Room
from mayfly_broker.prefixes import Prefixes, prefix_of

_PAUSE = 0.1
"""Seconds until the next try, where the system has no room for a further connection."""


class Gate:
    """Counts connections. Those of our own reverse proxies count in the total alone."""

    def __init__(self, known: Prefixes, room: Room) -> None:
        self._prefixes = known
        self._room = room

    @property
    def connections(self) -> int:
        """How many are open."""
        return self._room.total

    def guarded(self, make: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """The same protocol factory, behind the gate."""
        return lambda: _Guarded(self, make())

    async def serve_tls(
        self, sock: socket.socket, make: Callable[[], asyncio.Protocol], context: ssl.SSLContext, seconds: float
    ) -> None:
        """Accept connections of a listening socket until cancelled, and have each be a TLS one within `seconds`."""
        loop = asyncio.get_running_loop()
        handshakes = TaskSet()
        sock.setblocking(False)
        try:
            while True:
                try:
                    connection, address = await loop.sock_accept(sock)
                except OSError:
                    await asyncio.sleep(_PAUSE)
                    continue
                entered, network = self.enter(_host(address))
                if not entered:
                    connection.close()
                    continue
                guarded = _Guarded(self, make())
                guarded.count_for(network)
                handshakes.spawn(guarded.secure(connection, context, seconds))
        finally:
            await handshakes.aclose()

    def enter(self, peer: str | None) -> tuple[bool, str | None]:
        """Whether a connection from there may stay, and the network that it counts for."""
        network = None if self._prefixes.trusts(peer) else prefix_of(peer)
        return self._room.enter(network), network

    def leave(self, network: str | None) -> None:
        """A connection that had entered is closed."""
        self._room.leave(network)


class _Guarded(asyncio.Protocol):
    """Passes everything on, once the connection is let in."""

    def __init__(self, gate: Gate, inner: asyncio.Protocol) -> None:
        self._gate = gate
        self._inner = inner
        self._entered = False
        self._network: str | None = None
        self._begun = False  # whether aiohttp has been told of it

    def count_for(self, network: str | None) -> None:
        """It has entered already, before its handshake."""
        self._entered, self._network = True, network

    async def secure(self, connection: socket.socket, context: ssl.SSLContext, seconds: float) -> None:
        """Make the handshake of a connection that has entered. One that comes to nothing is closed and counted out."""
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self, connection, ssl=context, ssl_handshake_timeout=seconds
            )
        except OSError:
            pass  # it was no TLS, took too long, or is gone
        finally:
            if not self._begun:
                self._leave()
                connection.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, or close it at once."""
        if not self._entered:
            self._entered, self._network = self._gate.enter(peer_of(transport))
        if self._entered:
            self._begun = True
            self._inner.connection_made(transport)
        else:
            cast("asyncio.Transport", transport).abort()

    def _leave(self) -> None:
        if self._entered:
            self._entered = False
            self._gate.leave(self._network)

    def data_received(self, data: bytes) -> None:
        """Bytes of a connection that was let in."""
        if self._entered:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """The peer sends no more."""
        return self._inner.eof_received() if self._entered else None

    def pause_writing(self) -> None:
        """The peer does not read."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The peer reads again."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it out."""
        if self._entered:
            self._leave()
            self._inner.connection_lost(exc)


def peer_of(transport: asyncio.BaseTransport | None) -> str | None:
    """The address at the other end of a connection; None over a Unix socket, or where the connection is gone."""
    return None if transport is None else _host(transport.get_extra_info("peername"))


def _host(name: object) -> str | None:
    return str(cast("tuple[object, ...]", name)[0]) if isinstance(name, tuple) else None
