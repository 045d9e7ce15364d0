"""A link over a Unix socket, for ends that live in processes of their own and are killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from mayfly.signaling.description import CandidateType
from mayfly.transport.base import PathInfo
from mayfly.transport.mailbox import Mailbox

_HIGH_WATER = 256 * 1024
_HEAD = 4


class SocketLink(asyncio.Protocol):
    """Fulfils `transport.base.Link`."""

    high_water = _HIGH_WATER
    overruns = False

    def __init__(self, *, offerer: bool) -> None:
        self.offerer = offerer
        self._mailbox = Mailbox(asyncio.get_running_loop(), max_early=1 << 22)
        self._transport: asyncio.Transport
        self._held = bytearray()
        self._sent = self._received = 0

    @classmethod
    async def connected(cls, path: Path, *, offerer: bool) -> SocketLink:
        """Connect. Raises OSError while nobody listens there."""
        loop = asyncio.get_running_loop()
        _, link = await loop.create_unix_connection(lambda: cls(offerer=offerer), str(path))
        return link

    # transport.base.Link

    @property
    def buffered_amount(self) -> int:
        return self._transport.get_write_buffer_size()

    def start(
        self, receive: Callable[[bytes], None], writable: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        self._mailbox.start(receive, writable, lost)

    def send(self, message: bytes) -> None:
        if not self._mailbox.ended:
            self._sent += len(message)
            self._transport.write(len(message).to_bytes(_HEAD, "big") + message)

    def flush(self) -> None:
        """Nothing waits for the loop."""

    def path(self) -> PathInfo:
        return PathInfo(CandidateType.HOST, CandidateType.HOST, None, self._sent, self._received)

    async def close(self) -> None:
        self._mailbox.close()
        self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER, low=_HIGH_WATER // 2)

    def data_received(self, data: bytes) -> None:
        self._held += data
        start = 0
        while start + _HEAD <= len(self._held):
            end = start + _HEAD + int.from_bytes(self._held[start : start + _HEAD], "big")
            if end > len(self._held):
                break
            message = bytes(self._held[start + _HEAD : end])
            self._received += len(message)
            self._mailbox.deliver(message)
            start = end
        del self._held[:start]

    def resume_writing(self) -> None:
        self._mailbox.writable()

    def connection_lost(self, error: Exception | None) -> None:
        self._mailbox.end("the wire was cut")
