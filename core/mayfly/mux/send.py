"""What a stream's application has written and the channel has not taken yet.

Small writes are copied together, so that a thousand single bytes cost little more than a thousand bytes. All streams of
a session share one pool: a peer that opens many downloads and reads none of them fills that, and no more.
"""

from __future__ import annotations

from mayfly.config import MuxConfig
from mayfly.mux.chunks import Chunks


class SendPool:
    """What the send buffers of one session hold together."""

    __slots__ = ("_config", "used")

    def __init__(self, config: MuxConfig) -> None:
        self._config = config
        self.used = 0

    @property
    def allowance(self) -> int:
        """Bytes that one stream may have waiting now."""
        config = self._config
        share = (config.send_pool - self.used) // 4
        if share > config.send_buffer:
            return config.send_buffer
        return share if share > config.send_floor else config.send_floor


class SendBuffer(Chunks):
    """Bytes in order, taken from the front. Callers keep it within `SendPool.allowance`."""

    __slots__ = ("_pool", "size")

    def __init__(self, pool: SendPool) -> None:
        super().__init__()
        self.size = 0
        self._pool = pool

    def append(self, data: bytes) -> None:
        """Add bytes behind what is there."""
        self._resize(len(data))
        self._add(data)

    def take(self, limit: int) -> bytes:
        """Up to `limit` bytes from the front."""
        taken = self._cut(limit)
        self._resize(-len(taken))
        return taken

    def discard(self) -> None:
        """Forget everything."""
        self._clear()
        self._resize(-self.size)

    def _resize(self, change: int) -> None:
        self.size += change
        self._pool.used += change
