"""The door, with transports that only remember."""

from __future__ import annotations

import asyncio
from typing import Any

from mayfly_broker.gate import Gate, peer_of
from mayfly_broker.limits import Room
from mayfly_broker.prefixes import Prefixes


class Transport(asyncio.Transport):
    """Has a peer, and knows whether it was aborted."""

    def __init__(self, peer: Any) -> None:
        super().__init__({"peername": peer})
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True


class Inner(asyncio.Protocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.told.append(data.decode())

    def eof_received(self) -> bool | None:
        self.told.append("eof")
        return True

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")


def test_everything_is_passed_on() -> None:
    gate, inner = Gate(Prefixes(()), Room(2, 1)), Inner()
    protocol = gate.guarded(lambda: inner)()
    protocol.connection_made(Transport(("203.0.113.1", 1)))
    protocol.data_received(b"x")
    protocol.pause_writing()
    protocol.resume_writing()
    assert protocol.eof_received()
    assert gate.connections == 1
    protocol.connection_lost(None)
    protocol.connection_lost(None)
    assert inner.told == ["made", "x", "pause", "resume", "eof", "lost"]
    assert gate.connections == 0


def test_one_network_too_many_is_closed_and_another_comes_in() -> None:
    gate = Gate(Prefixes(()), Room(9, 1))
    inners = [Inner() for _ in range(3)]
    transports = [Transport((peer, 1)) for peer in ("203.0.113.1", "203.0.113.2", "198.51.100.1")]
    for inner, transport in zip(inners, transports, strict=True):
        protocol = gate.guarded(lambda inner=inner: inner)()  # type: ignore[misc]  # a default binds it
        protocol.connection_made(transport)
        protocol.data_received(b"x")
    assert [transport.aborted for transport in transports] == [False, True, False]
    assert [inner.told for inner in inners] == [["made", "x"], [], ["made", "x"]]


def test_our_own_proxies_count_in_the_total_alone() -> None:
    gate = Gate(Prefixes(()), Room(3, 1))
    over_unix = [Transport("") for _ in range(4)]
    for transport in over_unix:
        gate.guarded(Inner)().connection_made(transport)
    assert [transport.aborted for transport in over_unix] == [False, False, False, True]


def test_the_peer_of_a_transport() -> None:
    assert peer_of(None) is None
    assert peer_of(Transport(None)) is None
    assert peer_of(Transport("")) is None
    assert peer_of(Transport(("::1", 1, 0, 0))) == "::1"
