"""A network path with delay, rate and loss between two namespaces: a program that copies packets between two veths.

`path(...)` makes three namespaces, `near` (10.98.0.1) and `far` (10.98.0.2), and one between them where this module
runs as the copier. Offloads are off on all ends, or the copier would see packets that no wire carries. Needs root.

    python -m support.emulator {"delay": 0.05, "rate": 25e6, "queue": 2500000, "loss": 0.01, "seed": 1}
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import socket
import sys
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

from support.namespaces import inside
from support.programs import Program, program, run

NEAR, FAR = "10.98.0.1", "10.98.0.2"
_OFFLOADS_OFF = ("tx", "off", "tso", "off", "gso", "off", "gro", "off")
_ETHERNET = 14
_WITHOUT_LOSS = b"\x08\x06"  # ARP, whose loss would be measured as a second of nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What each direction does: seconds of delay, bytes a second, bytes that may wait, and the share that is lost."""

    delay: float = 0.0
    rate: float | None = None
    queue: int = 1_000_000
    loss: float = 0.0
    seed: int = 1


class Pipe:
    """One direction, without clock or socket: packets go in with the time, and come out when it has come."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._random = random.Random(seed)
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self.lost = 0
        self.dropped = 0
        """Packets for which the queue had no room."""

    def put(self, packet: bytes, now: float, *, may_be_lost: bool = True) -> None:
        """A packet has come. It waits for those before it, takes its time at the rate, then the delay."""
        if may_be_lost and self._shape.loss and self._random.random() < self._shape.loss:
            self.lost += 1
            return
        begin = max(now, self._free_at)
        if self._shape.rate is not None:
            if (begin - now) * self._shape.rate > self._shape.queue:
                self.dropped += 1
                return
            begin += len(packet) / self._shape.rate
        self._free_at = begin
        self._under_way.append((begin + self._shape.delay, packet))

    def next_due(self) -> float | None:
        """When the next packet comes out."""
        return self._under_way[0][0] if self._under_way else None

    def take(self, now: float) -> list[bytes]:
        """What has come out by now."""
        out = []
        while self._under_way and self._under_way[0][0] <= now:
            out.append(self._under_way.popleft()[1])
        return out


@dataclass(frozen=True, slots=True)
class Path:
    """The two ends of an emulated path."""

    near: str
    far: str
    copier: Program


@contextlib.asynccontextmanager
async def path(shape: Shape) -> AsyncIterator[Path]:
    """An emulated path while the block lasts."""
    ip, ethtool = program("ip"), program("ethtool")
    tag = f"mf{os.getpid() % 100000}"
    near, between, far = f"{tag}n", f"{tag}b", f"{tag}f"
    try:
        for name in (near, between, far):
            await run(ip, "netns", "add", name)
            await run(ip, "-n", name, "link", "set", "lo", "up")
        for end, address, wire in ((near, NEAR, "w0"), (far, FAR, "w1")):
            await run(ip, "-n", end, *f"link add eth0 type veth peer name {wire} netns {between}".split())
            await run(ip, "-n", end, *f"addr add {address}/24 dev eth0".split())
            for name, device in ((end, "eth0"), (between, wire)):
                await run(ip, "-n", name, *f"link set {device} up".split())
                await run(*inside(name, ethtool, "-K", device, *_OFFLOADS_OFF))
        argv = inside(between, sys.executable, "-m", "support.emulator", json.dumps(asdict(shape)))
        async with Program.running(*argv) as copier:
            await copier.wait_for_line("ready")
            yield Path(near, far, copier)
    finally:
        for name in (near, between, far):
            await run(ip, "netns", "del", name, check=False)


def _wire(device: str) -> socket.socket:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        wire.setsockopt(socket.SOL_SOCKET, option, 32 * 1024 * 1024)
    wire.bind((device, 3))
    wire.setblocking(False)
    return wire


def copy(shape: Shape) -> None:
    """Copy between w0 and w1 for ever."""
    wires = [_wire("w0"), _wire("w1")]
    pipes = [Pipe(shape, 2 * shape.seed), Pipe(shape, 2 * shape.seed + 1)]
    print("ready", flush=True)
    while True:
        due = [when for pipe in pipes if (when := pipe.next_due()) is not None]
        wait = max(min(due) - time.monotonic(), 0.0) if due else None
        readable, _, _ = select.select(wires, [], [], wait)
        for wire in readable:
            _receive(wire, pipes[wires.index(wire)])
        now = time.monotonic()
        for number, pipe in enumerate(pipes):
            for packet in pipe.take(now):
                with contextlib.suppress(BlockingIOError):
                    wires[1 - number].send(packet)


def _receive(wire: socket.socket, pipe: Pipe) -> None:
    for _ in range(64):
        try:
            packet, about = wire.recvfrom(65536)
        except BlockingIOError:
            return
        if about[2] != socket.PACKET_OUTGOING:
            pipe.put(packet, time.monotonic(), may_be_lost=packet[_ETHERNET - 2 : _ETHERNET] != _WITHOUT_LOSS)


if __name__ == "__main__":
    copy(Shape(**json.loads(sys.argv[1])))
