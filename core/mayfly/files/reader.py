"""Bytes of a FILE stream, as they come, taken apart into records."""

from __future__ import annotations

from collections.abc import Iterator

from mayfly.files.fields import FilesError
from mayfly.files.records import MAX_CHUNK, MAX_RECORD, Chunk, Record, RecordType, decode
from mayfly.wire.record import MAX_HEAD, head


class RecordReader:
    """Holds at most one unfinished record that is no CHUNK: MAX_RECORD bytes.

    A CHUNK is given in pieces, as they arrive and without a copy, since only the order of its bytes matters.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._needed = 0
        self._chunk_left = 0

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records that `data` completes; use them up before the next call.

        Raises FilesError behind the records before the fault; nothing more may be fed then.
        """
        view = memoryview(data)
        position = 0
        while position < len(data):
            if self._chunk_left:
                piece = view[position : position + self._chunk_left]
                self._chunk_left -= len(piece)
                position += len(piece)
                yield Chunk(piece)
            elif self._held:
                more = view[position : position + self._needed - len(self._held)]
                self._held += more
                position += len(more)
                if len(self._held) == self._needed and (record := self._from_held()) is not None:
                    yield record
            else:
                found = _head(data, position)
                if found is not None and found[0] == RecordType.CHUNK:
                    _, position, self._chunk_left = found
                elif found is not None and found[1] + found[2] <= len(data):
                    kind, start, size = found
                    position = start + size
                    yield decode(kind, data[start:position])
                else:
                    self._held += view[position:]
                    self._needed = len(self._held) + 1 if found is None else found[1] + found[2] - position
                    return

    def _from_held(self) -> Record | None:
        """The record that is held, if it is whole; otherwise how much it needs."""
        found = _head(bytes(self._held[:MAX_HEAD]), 0)
        if found is None:
            self._needed += 1
            return None
        kind, start, size = found
        if kind == RecordType.CHUNK:
            self._held.clear()
            self._chunk_left = size
            return None
        if len(self._held) < start + size:
            self._needed = start + size
            return None
        body = bytes(self._held[start:])
        self._held.clear()
        return decode(kind, body)


def _head(data: bytes, position: int) -> tuple[int, int, int] | None:
    """As `record.head`, within the limits of its type. Raises FilesError."""
    found = head(data, position)
    if found is not None:
        kind, _, size = found
        if size > (MAX_CHUNK if kind == RecordType.CHUNK else MAX_RECORD):
            raise FilesError("a record is too long")
        if kind == RecordType.CHUNK and not size:
            raise FilesError("a chunk without data")
    return found
