"""Putting a stream's bytes back in order: pieces may come in any order, overlap, or come twice.

Small pieces are copied together, so that what is held stays within a small factor of what was sent, however small the
frames a peer chooses. Pieces out of order are joined only at their end: joining at the front would let a peer make us
copy quadratically by sending backwards. The number of separate pieces is bounded by the multiplexer (`max_gaps`).
"""

from __future__ import annotations

from bisect import bisect_right

from mayfly.mux.chunks import JOINED, SMALL, Chunk, Chunks


class ReceiveBuffer(Chunks):
    """One stream's received and unread bytes."""

    __slots__ = ("_pieces", "_starts", "received", "unread")

    def __init__(self) -> None:
        super().__init__()
        self.received = 0
        """Everything before this offset has arrived."""
        self.unread = 0
        """Bytes that `take` can give now."""
        self._starts: list[int] = []
        self._pieces: list[Chunk] = []

    @property
    def gaps(self) -> int:
        """Separate pieces that wait for what belongs before them."""
        return len(self._pieces)

    def insert(self, offset: int, data: bytes) -> bool:
        """Add bytes at an offset. Tells whether more can be read now than before."""
        if offset > self.received:
            self._insert_piece(offset, data)
            return False
        if offset + len(data) <= self.received:
            return False
        self._append(data[self.received - offset :] if offset < self.received else data)
        if self._starts:
            self._join_pieces()
        return True

    def take(self, limit: int) -> bytes:
        """Up to `limit` bytes in order; they are gone from here."""
        taken = self._cut(limit)
        if self._head >= SMALL and self._chunks is not None and self._head * 2 >= len(self._chunks[0]):
            self._chunks[0] = self._chunks[0][self._head :]  # what was taken must not be held by what was not
            self._head = 0
        self.unread -= len(taken)
        return taken

    def discard(self) -> None:
        """Forget all bytes, read or not."""
        self._clear()
        self.unread = 0
        self._starts.clear()
        self._pieces.clear()

    def _append(self, data: Chunk) -> None:
        self.received += len(data)
        self.unread += len(data)
        self._add(data)

    def _join_pieces(self) -> None:
        done = 0
        for start, piece in zip(self._starts, self._pieces, strict=True):
            if start > self.received:
                break
            done += 1
            if start + len(piece) > self.received:
                self._append(piece[self.received - start :] if start < self.received else piece)
        if done:
            del self._starts[:done]
            del self._pieces[:done]

    def _insert_piece(self, offset: int, data: bytes) -> None:
        """Keep only what is new: pieces never overlap. What is already held wins, as RFC 9000 §2.2 allows."""
        starts, pieces = self._starts, self._pieces
        index = bisect_right(starts, offset)
        if index:
            end = starts[index - 1] + len(pieces[index - 1])
            if end > offset:
                data = data[end - offset :]
                offset = end
        position = 0  # a cursor, because a peer may make one frame lie across thousands of pieces
        while position < len(data):
            here = offset + position
            left = len(data) - position
            fits = left if index == len(starts) else min(left, starts[index] - here)
            if fits:
                index += self._add_piece(index, here, data[position : position + fits])
            if fits == left:
                return
            position = starts[index] + len(pieces[index]) - offset
            index += 1

    def _add_piece(self, index: int, offset: int, data: bytes) -> int:
        """Join to the piece before, or put in at `index`. Gives the number of pieces added."""
        if index:
            before = self._pieces[index - 1]
            if self._starts[index - 1] + len(before) == offset and len(before) < JOINED:
                if isinstance(before, bytes):
                    self._pieces[index - 1] = before = bytearray(before)
                before += data
                return 0
        self._starts.insert(index, offset)
        self._pieces.insert(index, data)
        return 1
