"""A network on a virtual clock: packets, queues, delay, and everything that a path does to them."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

_OVERHEAD = 65
"""Bytes that DTLS, UDP and IP put around an SCTP packet."""


class World:
    """The clock, and what happens when."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Do something later. What is due at one time happens in the order in which it was asked for."""
        self._number += 1
        heapq.heappush(self._agenda, (max(when, self.now), self._number, what))

    def run(self, until: Callable[[], bool], within: float) -> bool:
        """Let time pass until something holds. False when it does not within so many seconds, or nothing is left."""
        deadline = self.now + within
        while not until():
            if not self._agenda or self._agenda[0][0] > deadline:
                return False
            self.now, _, what = heapq.heappop(self._agenda)
            what()
        return True

    def rest(self, seconds: float) -> None:
        """Let so much time pass."""
        over = [False]
        self.at(self.now + seconds, lambda: over.__setitem__(0, True))
        self.run(lambda: over[0], seconds + 1)


class Taker(Protocol):
    """Whoever packets arrive at."""

    def take(self, packets: list[bytes]) -> None:
        """Packets that arrived at one moment."""


@dataclass
class Wire:
    """One direction of a path. `rate` is bytes a second, None without end; `queue` is bytes that wait for it.

    `loss`, `duplicate` and `corrupt` are chances of each packet, `jitter` is seconds of further delay at most.
    """

    world: World
    random: Random
    delay: float = 0.01
    rate: float | None = None
    queue: int = 1 << 30
    loss: float = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    jitter: float = 0.0
    mtu: int = 1 << 16
    keep: bool = True
    """Whether `carried` and `lost` hold packets; long simulations only count."""

    def __post_init__(self) -> None:
        self._target: Taker | None = None
        self._free = 0.0  # when the last packet in the queue will have left
        self._arriving: dict[float, list[bytes]] = {}
        self.carried: list[bytes] = []
        """Packets that went in."""
        self.lost: list[bytes] = []
        self.bytes = 0
        self.dropped = 0

    def to(self, target: Taker) -> None:
        """Where it leads."""
        self._target = target

    def suffer(self, **faults: float) -> None:
        """Change what the path does from now on."""
        for name, value in faults.items():
            setattr(self, name, value)

    def put(self, packets: list[bytes]) -> None:
        """Packets that leave at one moment."""
        for packet in packets:
            self._put(packet)

    def _put(self, packet: bytes) -> None:
        random, now = self.random, self.world.now
        if self.keep:
            self.carried.append(packet)
        self.bytes += len(packet)
        if len(packet) > self.mtu or (self.loss and random.random() < self.loss):
            self._drop(packet)
            return
        leaves = now
        if self.rate is not None:
            size = len(packet) + _OVERHEAD
            waiting = max(0.0, self._free - now) * self.rate
            if waiting + size > self.queue:
                self._drop(packet)
                return
            leaves = self._free = max(self._free, now) + size / self.rate
        if self.corrupt and random.random() < self.corrupt:
            at = random.randrange(len(packet))
            packet = packet[:at] + bytes([packet[at] ^ random.randrange(1, 256)]) + packet[at + 1 :]
        copies = 2 if self.duplicate and random.random() < self.duplicate else 1
        for _ in range(copies):
            arrives = leaves + self.delay + (random.random() * self.jitter if self.jitter else 0.0)
            together = self._arriving.get(arrives)
            if together is None:
                self._arriving[arrives] = [packet]
                self.world.at(arrives, lambda arrives=arrives: self._arrive(arrives))  # type: ignore[misc]
            else:
                together.append(packet)

    def _drop(self, packet: bytes) -> None:
        self.dropped += 1
        if self.keep:
            self.lost.append(packet)

    def _arrive(self, when: float) -> None:
        assert self._target is not None
        self._target.take(self._arriving.pop(when))
