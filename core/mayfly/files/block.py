"""The pieces of a file's block, gathered until its hash comes. At most BLOCK bytes."""

from __future__ import annotations

from typing import Final

from mayfly.files.records import BLOCK, Buffer

_SMALL: Final = 4096
"""Pieces below this are copied together, so that a block has at most some 500 of them, whatever a peer sends."""


class Block:
    """Pieces in order, none of them copied but small ones."""

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[Buffer] = []

    @property
    def full(self) -> bool:
        """Whether nothing more fits."""
        return self.size == BLOCK

    def add(self, piece: Buffer) -> None:
        """Put a piece behind the others; the caller sees to it that it fits."""
        self.size += len(piece)
        if len(piece) >= _SMALL:
            self._pieces.append(piece)
            return
        last = self._pieces[-1] if self._pieces else None
        if isinstance(last, bytearray):
            last += piece
        else:
            self._pieces.append(bytearray(piece))

    def take(self) -> tuple[tuple[Buffer, ...], int]:
        """All pieces and their size; the block is empty then."""
        pieces, size = tuple(self._pieces), self.size
        self._pieces, self.size = [], 0
        return pieces, size
