"""A download through both layers on a virtual clock: streams of multiplexers over associations over a wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from mayfly.config import KIB, LinkConfig, MuxConfig, SctpConfig
from mayfly.mux.events import Event, Priority, StreamOpened, StreamReadable, StreamWritable
from mayfly.mux.multiplexer import Multiplexer
from mayfly.transport.highwater import LEAST, HighWater
from support.associations import OurEnd, join
from support.network import Wire, World
from support.pair import hello_of

_PIECE = 64 * KIB


class TunnelEnd(OurEnd):
    """An association with its multiplexer, and what a session would do between them."""

    def __init__(self, world: World, wire: Wire, seed: int, *, offerer: bool, **options: Any) -> None:
        super().__init__(world, wire, seed, config=SctpConfig(), **options)
        config = MuxConfig(report_delay=0)  # there is no clock for what may wait
        self.mux = Multiplexer(config, hello_of(config), offerer=offerer, hello_size=1500, now=world.now)
        self.app: Callable[[Event], None] | None = None
        self._high_water = HighWater(LEAST, LinkConfig().high_water, world.now)
        self._handed = 0

    def take(self, packets: list[bytes]) -> None:
        now = self.world.now
        for message in self.association.receive(packets, now):
            self._tell(self.mux.receive_message(message, now))
        self.pump()

    def pump(self) -> None:
        if self.established:
            self._hand_over()
        super().pump()
        unsent = self.association.unsent
        self._high_water.moved(self._handed - unsent, self.world.now)
        if self.established and unsent <= self._high_water.mark // 2 and self._hand_over():
            super().pump()

    def _hand_over(self) -> bool:
        before = self._handed
        while True:
            budget = self._high_water.mark - self.association.unsent
            messages = self.mux.messages_to_send(budget, self.world.now)
            for message in messages:
                self.association.send(message)
                self._handed += len(message)
            events = self.mux.writable_events()
            self._tell(events)
            if not events and not messages:
                return self._handed > before

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            if self.app is not None:
                self.app(event)


class Tunnel:
    """A fresh link between two ends. `round_trip` is seconds, `rate` bytes a second, `queue` bytes."""

    def __init__(self, *, round_trip: float, rate: float, queue: int) -> None:
        self.world = World()
        self.wire = Wire(self.world, Random(1), delay=round_trip / 2, rate=rate, queue=queue, mtu=1450, keep=False)
        back = Wire(self.world, Random(2), delay=round_trip / 2, rate=rate, queue=queue, mtu=1450, keep=False)
        self.relay = TunnelEnd(self.world, self.wire, 1, offerer=True)
        self.client = TunnelEnd(self.world, back, 2, offerer=False)
        join(self.world, self.relay, self.client)
        self.world.rest(3)

    def download(self, size: int) -> float:
        """Seconds from a request on a new stream to the last byte of its answer."""
        begun, relay, client = self.world.now, self.relay, self.client
        left, received = size, 0
        stream = client.mux.open_stream(Priority.INTERACTIVE)
        client.mux.write(stream, b"GET")
        client.mux.finish(stream)

        def serve(event: Event) -> None:
            nonlocal left
            if isinstance(event, StreamReadable):
                relay.mux.read(stream, _PIECE, self.world.now)
            if not isinstance(event, StreamOpened | StreamReadable | StreamWritable) or not left:
                return
            while left and (taken := relay.mux.write(stream, bytes(min(left, _PIECE)))):
                left -= taken
            if not left:
                relay.mux.finish(stream)

        def consume(event: Event) -> None:
            nonlocal received
            while isinstance(event, StreamReadable) and (data := client.mux.read(stream, _PIECE, self.world.now)[0]):
                received += len(data)

        relay.app, client.app = serve, consume
        client.pump()
        assert self.world.run(lambda: received == size, 60)
        return self.world.now - begun
