"""Watches what one client uses, and says when it has to go."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Protocol

from mayfly_relay.limits import ByteQuota

INTERVAL = 1.0
"""Seconds between looks. A client may pass the quota by what it moves in that time."""


class Over(Enum):
    """Why a client's time is over, in words for both sides."""

    IDLE = "nothing was transferred for too long"
    QUOTA = "the relay has transferred all that it was to transfer"


class Traffic(Protocol):
    """What a Session tells of its streams."""

    bytes_sent: int
    bytes_received: int
    last_active: float


class DatagramTraffic(Protocol):
    """What a ClientService tells of its datagrams."""

    datagram_bytes: int
    datagram_at: float | None


class Meter:
    """One client's meter. It books the client's bytes on the quota that all clients share."""

    def __init__(self, streams: Traffic, datagrams: DatagramTraffic, quota: ByteQuota, idle_timeout: float) -> None:
        self._streams = streams
        self._datagrams = datagrams
        self._quota = quota
        self._idle_timeout = idle_timeout
        self._booked = 0

    def look(self, now: float) -> Over | None:
        """Book what was moved since the last look. Says why the client has to go, if it has to."""
        total = self._streams.bytes_sent + self._streams.bytes_received + self._datagrams.datagram_bytes
        self._quota.spend(total - self._booked)
        self._booked = total
        if self._quota.exhausted:
            return Over.QUOTA
        active_at = max(self._streams.last_active, self._datagrams.datagram_at or 0.0)
        return Over.IDLE if now - active_at >= self._idle_timeout else None

    async def watch(self) -> Over:
        """Look again and again until the client has to go. Cancel it when the client leaves, then look() once more."""
        loop = asyncio.get_running_loop()
        while True:
            over = self.look(loop.time())
            if over is not None:
                return over
            await asyncio.sleep(INTERVAL)
