"""One end of a bare aiortc data channel, as it comes: the yardstick. Commands and answers are lines of JSON.

    {"do": "offer"}                    -> {"sdp": ..., "type": "offer"}
    {"do": "answer", "offer": ...}     -> {"sdp": ..., "type": "answer"}
    {"do": "accept", "answer": ...}    -> {"seconds": from here to the open channel}
    {"do": "send", "bytes": N}         -> {"sent": N}; the other end says {"received": N, "seconds": ...}
    {"do": "ping", "count": N}         -> {"seconds": [N round trips]}

Nothing of aiortc is changed, but that it is told to use 127.0.0.1, which it never gathers by itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aioice.ice
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

MESSAGE = 16 * 1024
HIGH_WATER = 256 * 1024
START, PING, PONG = b"start", b"ping", b"pong"


def say(answer: dict[str, Any]) -> None:
    """One answer line."""
    print(json.dumps(answer), flush=True)


class Peer:
    """One peer connection and its channel."""

    def __init__(self) -> None:
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        # The same kind of channel as the product's: reliable, unordered, agreed on beforehand.
        self._channel: RTCDataChannel = self._pc.createDataChannel("bench", ordered=False, negotiated=True, id=0)
        self._channel.bufferedAmountLowThreshold = HIGH_WATER // 2
        self._open = asyncio.Event()
        self._low = asyncio.Event()
        self._pong = asyncio.Event()
        self._expected = 0
        self._received = 0
        self._started = 0.0
        self._channel.on("open", self._open.set)
        self._channel.on("bufferedamountlow", self._low.set)
        self._channel.on("message", self._message)
        if self._channel.readyState == "open":
            self._open.set()

    def _message(self, data: bytes) -> None:
        if self._expected and len(data) == MESSAGE:
            self._received += len(data)
            if self._received >= self._expected:
                self._expected = 0
                say({"received": self._received, "seconds": time.perf_counter() - self._started})
        elif data == PING:
            self._channel.send(PONG)
        elif data == PONG:
            self._pong.set()
        elif data.startswith(START):
            self._expected, self._received = int(data[len(START) :]), 0
            self._started = time.perf_counter()

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """Carry out one command."""
        match command["do"]:
            case "offer":
                await self._pc.setLocalDescription(await self._pc.createOffer())
                return self._described()
            case "answer":
                await self._pc.setRemoteDescription(RTCSessionDescription(**command["offer"]))
                await self._pc.setLocalDescription(await self._pc.createAnswer())
                return self._described()
            case "accept":
                started = time.perf_counter()
                await self._pc.setRemoteDescription(RTCSessionDescription(**command["answer"]))
                await self._open.wait()
                return {"seconds": time.perf_counter() - started}
            case "send":
                return await self._send(int(command["bytes"]))
            case "ping":
                return {"seconds": [await self._round_trip() for _ in range(int(command["count"]))]}
            case other:
                raise ValueError(f"no such command: {other}")

    def _described(self) -> dict[str, Any]:
        return {"sdp": self._pc.localDescription.sdp, "type": self._pc.localDescription.type}

    async def _send(self, size: int) -> dict[str, Any]:
        messages = -(-size // MESSAGE)
        await self._open.wait()
        self._channel.send(START + str(messages * MESSAGE).encode())
        # The receiver must know the size before the first byte of an unordered channel's load.
        await self._round_trip()
        message = bytes(MESSAGE)
        for _ in range(messages):
            self._channel.send(message)
            if self._channel.bufferedAmount > HIGH_WATER:
                self._low.clear()
                await self._low.wait()
        return {"sent": messages * MESSAGE}

    async def _round_trip(self) -> float:
        await self._open.wait()
        self._pong.clear()
        started = time.perf_counter()
        self._channel.send(PING)
        await self._pong.wait()
        return time.perf_counter() - started


async def main() -> None:
    """Read commands until standard input ends."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    peer = Peer()
    while line := await asyncio.to_thread(sys.stdin.readline):
        say(await peer.do(json.loads(line)))


if __name__ == "__main__":
    if sys.argv[1] == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
