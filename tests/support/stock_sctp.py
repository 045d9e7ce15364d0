"""Two SCTP associations joined without DTLS, so that a test can drop, hold and forge single packets."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

from aiortc.rtcsctptransport import Chunk, DataChunk, serialize_packet

from mayfly.config import EngineConfig
from mayfly.transport.aiortc.dtls import LinkDtls
from mayfly.transport.aiortc.stock_sctp import StockSctp

Packets = deque[bytes]


class _NoDtls:
    state = "connected"

    def __init__(self, role: str) -> None:
        self._role = role
        self.out: Packets = deque()
        self.broken = False

    async def _send_data(self, data: bytes) -> None:
        if self.broken:
            raise ConnectionError
        self.out.append(data)

    def _register_data_receiver(self, receiver: Any) -> None:
        pass

    def _unregister_data_receiver(self, receiver: Any) -> None:
        pass


class SctpEnd:
    """One association and what it told."""

    def __init__(self, role: str, limits: EngineConfig, *, ordered: bool = False) -> None:
        self.dtls = _NoDtls(role)
        self.messages: list[bytes] = []
        self.reasons: list[str] = []
        self.is_open = False
        self.progress = 0
        self.sctp = StockSctp(cast(LinkDtls, self.dtls), self, limits, ordered=ordered)

    @property
    def unread(self) -> int:
        return 0

    def opened(self) -> None:
        self.is_open = True

    def received(self, message: bytes) -> None:
        self.messages.append(message)

    def progressed(self) -> None:
        self.progress += 1

    def acknowledged(self) -> None:
        pass

    def failed(self, reason: str) -> None:
        self.reasons.append(reason)

    async def take(self, packet: bytes) -> None:
        await self.sctp._handle_data(packet)

    def forge(self, *chunks: Chunk | bytes, tag: int | None = None) -> bytes:
        """A packet that this end's association would take as its far end's."""
        raw = b"".join(bytes(chunk) for chunk in chunks)
        return serialize_packet(5000, 5000, self.sctp._local_verification_tag if tag is None else tag, cast(Chunk, raw))


def data_chunk(
    tsn: int, data: bytes, *, flags: int = 0x07, stream: int = 0, sequence: int = 0, kind: int = 53
) -> DataChunk:
    """A DATA chunk, by default a whole unordered binary message."""
    chunk = DataChunk(flags=flags)
    chunk.tsn, chunk.stream_id, chunk.stream_seq, chunk.protocol = tsn % 2**32, stream, sequence, kind
    chunk.user_data = data
    return chunk


async def settle(left: SctpEnd, right: SctpEnd, keep: Callable[[bytes], bool] = lambda _: True) -> None:
    """Carry packets until none is left; those that `keep` refuses are lost."""
    while True:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if not left.dtls.out and not right.dtls.out:
            return
        for source, target in ((left, right), (right, left)):
            while source.dtls.out:
                packet = source.dtls.out.popleft()
                if keep(packet):
                    await target.take(packet)


async def joined(limits: EngineConfig | None = None, *, ordered: bool = False) -> tuple[SctpEnd, SctpEnd]:
    """Two ends with an open association."""
    limits = limits or EngineConfig()
    left, right = SctpEnd("client", limits, ordered=ordered), SctpEnd("server", limits, ordered=ordered)
    await left.sctp.open()
    await right.sctp.open()
    await settle(left, right)
    assert left.is_open and right.is_open
    return left, right
