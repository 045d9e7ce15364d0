"""The door: how many connections there are, in all and from each network.

aiohttp counts none, so each connection passes through a thin protocol here. Those on which no request is under way are
cut by aiohttp itself after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from mayfly_broker.limits import Room
from mayfly_broker.prefixes import Prefixes, prefix_of


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

    def enter(self, transport: asyncio.BaseTransport) -> tuple[bool, str | None]:
        """Whether a connection may stay, and the network that it counts for."""
        peer = peer_of(transport)
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

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it, or close it at once."""
        self._entered, self._network = self._gate.enter(transport)
        if self._entered:
            self._inner.connection_made(transport)
        else:
            cast("asyncio.Transport", transport).abort()

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
            self._entered = False
            self._gate.leave(self._network)
            self._inner.connection_lost(exc)


def peer_of(transport: asyncio.BaseTransport | None) -> str | None:
    """The address at the other end of a connection; None over a Unix socket, or where the connection is gone."""
    name: object = None if transport is None else transport.get_extra_info("peername")
    return str(cast("tuple[object, ...]", name)[0]) if isinstance(name, tuple) else None
