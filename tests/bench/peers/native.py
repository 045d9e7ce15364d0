"""A bare libwebrtc data channel, as PyPI's `wrtc` gives it. `python -m bench.peers.native LOOP`

It gathers whatever addresses the network namespace has; loopback too where WRTC_ALLOW_LOOPBACK=1 says so.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import webrtc

from bench.peers.pump import Pump, run_on

HIGH_WATER = 1024 * 1024


class NativeChannel:
    """One peer connection and its channel."""

    def __init__(self, pump: Pump) -> None:
        self._pc = webrtc.RTCPeerConnection()
        options = webrtc.RTCDataChannelInit(ordered=False, negotiated=True, id=0)
        self._channel = self._pc.create_data_channel("bench", options)
        self._channel.buffered_amount_low_threshold = HIGH_WATER // 2
        self._open, self._low, self._gathered = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._channel.on("open", lambda _event: self._open.set())
        self._channel.on("bufferedamountlow", lambda _event: self._low.set())

        @self._channel.on("message")
        def received(event: webrtc.MessageEvent) -> None:
            assert isinstance(event.data, bytes)
            pump.received(event.data)

        self._pc.on("icegatheringstatechange", lambda _event: self._look())

    def _look(self) -> None:
        if self._pc.ice_gathering_state == "complete":
            self._gathered.set()

    async def offer(self) -> Any:
        await self._pc.set_local_description(await self._pc.create_offer())
        return await self._described()

    async def answer(self, offer: Any) -> Any:
        await self._pc.set_remote_description(webrtc.RTCSessionDescriptionInit(**offer))
        await self._pc.set_local_description(await self._pc.create_answer())
        return await self._described()

    async def accept(self, answer: Any) -> None:
        await self._pc.set_remote_description(webrtc.RTCSessionDescriptionInit(**answer))

    async def opened(self) -> None:
        await self._open.wait()

    def send(self, message: bytes) -> None:
        self._channel.send(message)

    @property
    def full(self) -> bool:
        return self._channel.buffered_amount > HIGH_WATER

    async def room(self) -> None:
        self._low.clear()
        await self._low.wait()

    async def _described(self) -> Any:
        await self._gathered.wait()
        description = self._pc.local_description
        assert description is not None
        return {"type": str(description.type.value), "sdp": description.sdp}


async def main() -> None:
    """Hold one channel until standard input ends."""
    pump = Pump()
    await pump.run(NativeChannel(pump))


if __name__ == "__main__":
    run_on(sys.argv[1], main())
