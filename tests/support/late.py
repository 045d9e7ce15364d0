"""An end on a machine that is busy: its event loop wakes late, and finds much at once."""

from __future__ import annotations

from collections.abc import Callable
from math import floor, inf
from random import Random
from typing import Any

from support.associations import OurEnd
from support.network import Wire, World

Wakes = Callable[[float], float]
"""When a loop that has something to do at one time comes to do it."""


def at_once(now: float) -> float:
    """A machine that has nothing else to do."""
    return now


def every(period: float, phase: float = 0.0) -> Wakes:
    """Only at multiples of a period."""
    return lambda now: (floor((now - phase) / period + 1e-9) + 1) * period + phase


def in_turns(awake: float, asleep: float, seed: int) -> Wakes:
    """At once for a while, then not at all for a while: about so many seconds each. Others have the processor then."""
    random = Random(seed)
    sleep = [0.0, 0.0]

    def wakes(now: float) -> float:
        while now >= sleep[1]:
            begin = max(sleep[1], now - 1) + random.expovariate(1 / awake)
            sleep[:] = begin, begin + asleep * random.uniform(0.5, 1.5)
        return sleep[1] if now >= sleep[0] else now

    return wakes


class LateEnd(OurEnd):
    """An end that does nothing between its wake-ups. `wakes` may change at any time."""

    def __init__(self, world: World, wire: Wire, seed: int, **options: Any) -> None:
        super().__init__(world, wire, seed, **options)
        self.wakes: Wakes = at_once
        self._inbox: list[bytes] = []
        self._waking = False

    def take(self, packets: list[bytes]) -> None:
        self._inbox += packets
        self.pump()

    def pump(self) -> None:
        if not self._waking:
            self._waking = True
            self.world.at(self.wakes(self.world.now), self._wake)

    def _ring(self, due: float) -> None:
        if self._alarm == due:
            self.pump()

    def _wake(self) -> None:
        self._waking = False
        now = self.world.now
        if now >= self._alarm:
            self._alarm = inf
            self.association.handle_timeout(now)
        if self._inbox:
            packets, self._inbox = self._inbox, []
            self.received_bytes += sum(map(len, self.association.receive(packets, now)))
        before = -1
        while before != self.wire.bytes:  # what has left makes room for more
            before = self.wire.bytes
            super().pump()
