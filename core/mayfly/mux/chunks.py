"""Bytes in order, in the pieces in which they came: beneath what one stream sends, and what it has received."""

from __future__ import annotations

from collections import deque

SMALL = 2048
"""Bytes below which a piece is joined to the one before: each piece costs memory of its own."""

JOINED = 64 * 1024
"""Bytes at which no more is joined to one."""

Chunk = bytes | bytearray


class Chunks:
    """Added to at the end and cut from the front. Holds no more than two slots while it is empty."""

    __slots__ = ("_chunks", "_head")

    def __init__(self) -> None:
        self._chunks: deque[Chunk] | None = None
        self._head = 0
        """Bytes of the first chunk that were cut off already."""

    def _add(self, data: Chunk) -> None:
        if self._chunks is None:
            self._chunks = deque()
        elif len(data) < SMALL:
            last = self._chunks[-1]
            if isinstance(last, bytearray) and len(last) < JOINED:
                last += data
                return
        self._chunks.append(bytearray(data) if len(data) < SMALL else data)

    def _cut(self, limit: int) -> bytes:
        """Up to `limit` bytes from the front."""
        chunks = self._chunks
        if chunks is None or limit <= 0:
            return b""
        chunk = chunks[0]
        if self._head == 0 and len(chunk) <= limit and len(chunks) == 1:
            self._chunks = None
            return bytes(chunk)
        parts: list[Chunk] = []
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
        return b"".join(parts)

    def _clear(self) -> None:
        self._chunks = None
        self._head = 0
