"""What a stream's application has written and the channel has not taken yet.

Small writes are copied together, so that a thousand single bytes cost little more than a thousand bytes. All streams of
a session share one pool: a peer that opens many downloads and reads none of them fills that, and no more.
"""

from __future__ import annotations

from collections import deque

from mayfly.config import MuxConfig

_SMALL = 2048
_JOINED = 64 * 1024


class SendPool:
    """What the send buffers of one session hold together."""

    __slots__ = ("_config", "used")

    def __init__(self, config: MuxConfig) -> None:
        self._config = config
        self.used = 0

    @property
    def allowance(self) -> int:
        """Bytes that one stream may have waiting now."""
        share = (self._config.send_pool - self.used) // 4
        return max(self._config.send_floor, min(self._config.send_buffer, share))


class SendBuffer:
    """Bytes in order, taken from the front. Callers keep it within `SendPool.allowance`."""

    __slots__ = ("_chunks", "_head", "_pool", "size")

    def __init__(self, pool: SendPool) -> None:
        self.size = 0
        self._pool = pool
        self._chunks: deque[bytes | bytearray] | None = None
        self._head = 0

    def append(self, data: bytes) -> None:
        """Add bytes behind what is there."""
        self._resize(len(data))
        if self._chunks is None:
            self._chunks = deque()
        elif len(data) < _SMALL:
            last = self._chunks[-1]
            if isinstance(last, bytearray) and len(last) < _JOINED:
                last += data
                return
        self._chunks.append(bytearray(data) if len(data) < _SMALL else data)

    def take(self, limit: int) -> bytes:
        """Up to `limit` bytes from the front."""
        chunks = self._chunks
        if chunks is None or limit <= 0:
            return b""
        parts: list[bytes | bytearray] = []
        left = limit
        while chunks and left:
            chunk = chunks[0]
            end = min(len(chunk), self._head + left)
            parts.append(chunk[self._head : end])
            left -= end - self._head
            if end == len(chunk):
                chunks.popleft()
                self._head = 0
            else:
                self._head = end
        if not chunks:
            self._chunks = None
        taken = b"".join(parts)
        self._resize(-len(taken))
        return taken

    def discard(self) -> None:
        """Forget everything."""
        self._chunks = None
        self._head = 0
        self._resize(-self.size)

    def _resize(self, change: int) -> None:
        self.size += change
        self._pool.used += change
