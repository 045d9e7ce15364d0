"""A bare aiortc data channel, as it comes: the yardstick. `python -m bench.peers.stock ADDRESS LOOP`

Nothing of aiortc is changed, but that it is told to use one address, because it never gathers loopback by itself.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aioice.ice
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from bench.peers.pump import Pump, run_on

HIGH_WATER = 256 * 1024


class StockChannel:
    """One peer connection and its channel: of the product's kind, reliable, unordered, agreed on beforehand."""

    def __init__(self, pump: Pump) -> None:
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._channel: RTCDataChannel = self._pc.createDataChannel("bench", ordered=False, negotiated=True, id=0)
        self._channel.bufferedAmountLowThreshold = HIGH_WATER // 2
        self._open = asyncio.Event()
        self._low = asyncio.Event()
        self._channel.on("open", self._open.set)
        self._channel.on("bufferedamountlow", self._low.set)
        self._channel.on("message", pump.received)

    async def offer(self) -> Any:
        await self._pc.setLocalDescription(await self._pc.createOffer())
        return self._described()

    async def answer(self, offer: Any) -> Any:
        await self._pc.setRemoteDescription(RTCSessionDescription(**offer))
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        return self._described()

    async def accept(self, answer: Any) -> None:
        await self._pc.setRemoteDescription(RTCSessionDescription(**answer))

    async def opened(self) -> None:
        if self._channel.readyState != "open":
            await self._open.wait()

    def send(self, message: bytes) -> None:
        self._channel.send(message)

    @property
    def full(self) -> bool:
        return bool(self._channel.bufferedAmount > HIGH_WATER)

    async def room(self) -> None:
        self._low.clear()
        await self._low.wait()

    def _described(self) -> Any:
        return {"sdp": self._pc.localDescription.sdp, "type": self._pc.localDescription.type}


async def main(address: str) -> None:
    """Hold one channel until standard input ends."""
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [address]
    pump = Pump()
    await pump.run(StockChannel(pump))


if __name__ == "__main__":
    run_on(sys.argv[2], main(sys.argv[1]))
