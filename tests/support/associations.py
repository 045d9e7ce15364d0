"""Ends of associations on a virtual network: ours, and aiortc's own as it comes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from math import inf
from random import Random
from struct import pack, unpack_from
from types import SimpleNamespace
from typing import Any

import pytest
from aiortc import rtcsctptransport
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from mayfly.config import KIB, EngineConfig, SctpConfig
from mayfly.sctp.association import Association
from mayfly.sctp.packet import Header
from support.network import Wire, World
from support.timers import Timer, Timers


class OurEnd:
    """Our association with what a driver would do around it."""

    def __init__(
        self,
        world: World,
        wire: Wire,
        seed: int,
        *,
        limits: EngineConfig | None = None,
        config: SctpConfig | None = None,
        reading: bool = True,
        tsn: int = 2**32 - 100,
        **options: Any,
    ) -> None:
        self.world = world
        self.wire = wire
        self.messages: list[bytes] = []
        self.received_bytes = 0
        self.keep = True
        self.hungry: Callable[[], None] | None = None
        """Called before each flush, to keep a sender supplied."""
        tag = 0x1000 + seed
        self.association = Association(
            limits or EngineConfig(),
            config or SctpConfig(packet_sizes=()),
            tag=tag,
            tsn=tsn,  # by default one that soon wraps
            cookie=pack("!Q", seed),
            **options,
        )
        self.association.set_unread(0, reading=reading)
        self._alarm = inf

    def start(self) -> None:
        self.association.start(self.world.now)
        self.pump()

    def send(self, message: bytes, **limits: Any) -> None:
        self.association.send(message, **limits)
        self.pump()

    def send_without_end(self, waiting: int = 256 * KIB) -> None:
        """Have so many bytes wait from now on, whatever leaves."""
        message = bytes(16 * KIB)

        def feed() -> None:
            while self.association.unsent < waiting:
                self.association.send(message)

        self.hungry = feed
        self.pump()

    def take(self, packets: list[bytes]) -> None:
        messages = self.association.receive(packets, self.world.now)
        if self.keep:
            self.messages += messages
        self.received_bytes += sum(map(len, messages))
        if self.hungry is not None:
            self.hungry()
        if not self.association.pressing:  # as the driver: what waits is heard of by the timer, or goes along
            self.association.settle(self.world.now)
        if self.association.pressing:
            self.pump()
        else:
            self._set_alarm()

    def pump(self) -> None:
        if self.hungry is not None:
            self.hungry()
        self.wire.put(self.association.packets_to_send(self.world.now))
        self._set_alarm()

    def _set_alarm(self) -> None:
        due = self.association.next_timeout()
        if due < self._alarm:
            # An event loop is never early.
            self._alarm = due
            self.world.at(due, lambda: self._ring(due))

    def _ring(self, due: float) -> None:
        if self._alarm == due:
            self._alarm = inf
            self.association.handle_timeout(self.world.now)
            self.pump()

    @property
    def established(self) -> bool:
        return self.association.established

    @property
    def idle(self) -> bool:
        return not self.association.unacknowledged

    @property
    def ended(self) -> str | None:
        return self.association.ended


class _Loop(Timers):
    """As much of an event loop as aiortc's association asks for."""

    def ensure_future(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.world.at(self.world.now, lambda: run_now(coroutine))


def run_now(coroutine: Coroutine[Any, Any, None]) -> None:
    """aiortc's coroutines wait for nothing here."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("aiortc waited")


@contextmanager
def aiortc_in(world: World) -> Iterator[None]:
    """Let aiortc's associations live on a virtual clock."""
    loop = _Loop(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            rtcsctptransport,
            "asyncio",
            SimpleNamespace(get_event_loop=lambda: loop, ensure_future=loop.ensure_future, TimerHandle=Timer),
        )
        patch.setattr(rtcsctptransport, "random32", lambda: 2**32 - 60)
        patch.setattr(rtcsctptransport, "time", SimpleNamespace(time=lambda: world.now))
        yield


class StockEnd:
    """aiortc's RTCSctpTransport with one negotiated channel."""

    state = "connected"

    def __init__(self, world: World, wire: Wire, role: str, **channel: Any) -> None:
        self.world = world
        self.wire = wire
        self._role = role
        self.messages: list[bytes] = []
        self.sctp = RTCSctpTransport(self)  # type: ignore[arg-type]
        self.channel = RTCDataChannel(
            self.sctp, RTCDataChannelParameters(label="x", negotiated=True, id=0, **{"ordered": False, **channel})
        )
        self.channel.on("message", self.messages.append)

    # what aiortc asks of its DTLS

    async def _send_data(self, data: bytes) -> None:
        self.wire.put([data])

    def _register_data_receiver(self, receiver: object) -> None:
        pass

    def _unregister_data_receiver(self, receiver: object) -> None:
        pass

    # an end

    def start(self) -> None:
        run_now(self.sctp.start(RTCSctpCapabilities(65536 * 4), 5000))

    def send(self, message: bytes) -> None:
        self.channel.send(message)

    def take(self, packets: list[bytes]) -> None:
        for packet in packets:
            run_now(self.sctp._handle_data(packet))

    @property
    def established(self) -> bool:
        return self.sctp._association_state is RTCSctpTransport.State.ESTABLISHED

    @property
    def idle(self) -> bool:
        sctp = self.sctp
        return not (sctp._data_channel_queue or sctp._outbound_queue or sctp._sent_queue)

    @property
    def ended(self) -> str | None:
        return "closed" if self.sctp.state == "closed" else None


AnyEnd = OurEnd | StockEnd
Pair = tuple[OurEnd, OurEnd]
LIMITS = EngineConfig(max_message=64 * KIB, max_reassembly=128 * KIB, max_ahead=256, max_span=512)
"""Small ones, that a test can reach."""


def ends(world: World, *, seed: int = 1, delay: float = 0.01, **options: Any) -> Pair:
    """Two of our ends, alike, that have to be joined."""
    random = Random(seed)
    return (
        OurEnd(world, Wire(world, random, delay=delay), 1, **options),
        OurEnd(world, Wire(world, random, delay=delay), 2, **options),
    )


def join(world: World, left: AnyEnd, right: AnyEnd, within: float = 120.0) -> None:
    """Lead the wires to the ends, and open the association."""
    left.wire.to(right)
    right.wire.to(left)
    left.start()
    right.start()
    assert world.run(lambda: left.established and right.established, within)


def data_chunks(packets: list[bytes]) -> list[tuple[int, int]]:
    """TSN and size of user data of every DATA chunk in packets."""
    found: list[tuple[int, int]] = []
    for packet in packets:
        position = 12
        while position + 4 <= len(packet):
            kind, _flags, length = unpack_from("!BBH", packet, position)
            if kind == 0:
                found.append((unpack_from("!L", packet, position + 4)[0], length - 16))
            position += max(4, length + -length % 4)
    return found


def forge(end: OurEnd, *chunks: bytes) -> bytes:
    """A packet that an association takes as its far end's."""
    ours = end.association._ours
    return Header(5000, 5000, ours.tag).seal(b"".join(chunks))
