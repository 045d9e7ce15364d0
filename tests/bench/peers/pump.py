"""What every bare end can do, whatever channel it holds.

    {"do": "offer"}                    -> {"description": ...}
    {"do": "answer", "offer": ...}     -> {"description": ...}
    {"do": "accept", "answer": ...}    -> {"seconds": from here to the open channel}
    {"do": "send", "bytes": N}         -> {"sent": N}; the other end says {"received": N, "seconds": ...}
    {"do": "ping", "count": N}         -> {"seconds": [N round trips]}

Every message of a transfer carries its number and a known pattern; the receiver compares each byte, and takes each
number once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Protocol

MESSAGE = 16 * 1024
START, PING, PONG = b"start", b"ping", b"pong"
_PATTERN = bytes((index * 7 + (index >> 8)) & 255 for index in range(MESSAGE - 8))  # node_peer.mjs has it too


class Channel(Protocol):
    """A channel that was made and may not be open yet. Messages go to the pump's `received`."""

    async def offer(self) -> Any:
        """Our description, as JSON can carry it."""
        ...

    async def answer(self, offer: Any) -> Any:
        """Our description."""
        ...

    async def accept(self, answer: Any) -> None:
        """Take the far end's description."""
        ...

    async def opened(self) -> None:
        """Wait until messages can be sent."""
        ...

    def send(self, message: bytes) -> None:
        """Send now."""
        ...

    @property
    def full(self) -> bool:
        """Whether nothing more should be sent now."""
        ...

    async def room(self) -> None:
        """Wait until it is not full any more."""
        ...


class Arrived:
    """Which of so many numbered messages have come. A bit for each: what is measured is not our own bookkeeping."""

    def __init__(self, count: int) -> None:
        self.missing = count
        self._count = count
        self._bits = bytearray(-(-count // 8))

    def take(self, number: int) -> None:
        """One has come. Raises ValueError where it came before, or is none of them."""
        if number >= self._count:
            raise ValueError(f"message {number} was never sent")
        byte, bit = number >> 3, 1 << (number & 7)
        if self._bits[byte] & bit:
            raise ValueError(f"message {number} came twice")
        self._bits[byte] |= bit
        self.missing -= 1


class Pump:
    """Commands in, answers out."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self._pong = asyncio.Event()
        self._arrived = Arrived(0)
        self._size = 0
        self._started = 0.0

    def received(self, data: bytes) -> None:
        """One message from the far end."""
        if len(data) == MESSAGE:
            self._arrived.take(int.from_bytes(data[:8], "big"))
            if data[8:] != _PATTERN:
                raise ValueError("a message came damaged")
            if not self._arrived.missing:
                say({"received": self._size, "seconds": time.perf_counter() - self._started})
        elif data == PING:
            assert self.channel is not None
            self.channel.send(PONG)
        elif data == PONG:
            self._pong.set()
        elif data.startswith(START):
            self._size = int(data[len(START) :])
            self._arrived = Arrived(self._size // MESSAGE)
            self._started = time.perf_counter()

    async def run(self, channel: Channel) -> None:
        """Until standard input ends."""
        self.channel = channel
        while line := await asyncio.to_thread(sys.stdin.readline):
            say(await self._do(channel, json.loads(line)))

    async def _do(self, channel: Channel, command: dict[str, Any]) -> dict[str, Any]:
        match command["do"]:
            case "offer":
                return {"description": await channel.offer()}
            case "answer":
                return {"description": await channel.answer(command["offer"])}
            case "accept":
                started = time.perf_counter()
                await channel.accept(command["answer"])
                await channel.opened()
                return {"seconds": time.perf_counter() - started}
            case "send":
                return await self._send(channel, int(command["bytes"]))
            case "ping":
                return {"seconds": [await self._round_trip(channel) for _ in range(int(command["count"]))]}
            case other:
                raise ValueError(f"no such command: {other}")

    async def _send(self, channel: Channel, size: int) -> dict[str, Any]:
        messages = -(-size // MESSAGE)
        await channel.opened()
        channel.send(START + str(messages * MESSAGE).encode())
        # The receiver must know the size before the first byte of an unordered channel's load.
        await self._round_trip(channel)
        for number in range(messages):
            channel.send(number.to_bytes(8, "big") + _PATTERN)
            if channel.full:
                await channel.room()
        return {"sent": messages * MESSAGE}

    async def _round_trip(self, channel: Channel) -> float:
        await channel.opened()
        self._pong.clear()
        started = time.perf_counter()
        channel.send(PING)
        await self._pong.wait()
        return time.perf_counter() - started


def say(answer: dict[str, Any]) -> None:
    """One answer line."""
    print(json.dumps(answer), flush=True)


def run_on(loop: str, main: Any) -> None:
    """Run a coroutine on the named loop."""
    if loop == "uvloop":
        import uvloop

        uvloop.run(main)
    else:
        asyncio.run(main)
