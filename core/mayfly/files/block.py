"""The pieces of a file's block, gathered until its hash comes. At most BLOCK bytes."""

from __future__ import annotations

from typing import Final

from mayfly.files.records import BLOCK, Buffer

_SMALL: Final = 4096
"""Pieces below this are copied together, so that a block has at most some 500 of them, whatever a peer sends."""


class Block:
    """Pieces in order, none of them copied but small ones, and small parts of what came together."""

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
            self._pieces.append(bytes(piece) if _is_small_part(piece) else piece)
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


def _is_small_part(piece: Buffer) -> bool:
    """Whether keeping it would keep more than twice its size: a view holds all that it was cut from, and a peer may
    fill the rest of that with records that are gone at once."""
    return isinstance(piece, memoryview) and len(piece) * 2 < len(piece.obj)  # type: ignore[arg-type] # obj is Sized
