"""One source, many receivers, each at its own pace: a block is read and hashed once for all that want it soon.

Each receiver's transfer takes a share, and reads through it. What any of them has read stays in a cache of bounded
size; a receiver that is behind the cache reads for itself. A share that ends, in whatever way, leaves nothing behind
that another one waits for.
"""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from threading import Lock

from mayfly.config import MIB
from mayfly.errors import UsageError
from mayfly.services.hashing import RunningHash
from mayfly.services.source import Read, Source, SourceReader

_Key = tuple[int, int, int]


class Broadcast:
    """A source that many transfers read at once. Safe to use from many threads."""

    def __init__(self, source: Source, cache: int = 32 * MIB) -> None:
        """`cache` bounds the bytes that are kept. Raises UsageError for a source that can be read only once."""
        if not source.again:
            raise UsageError("standard input cannot be sent to many at once", hint="Write it to a file first.")
        self.source = source
        self._limit = cache
        self._held = 0
        self._lock = Lock()
        self._blocks: OrderedDict[_Key, Future[Read]] = OrderedDict()

    def share(self) -> Share:
        """A reader for one more transfer."""
        return Share(self, SourceReader(self.source))

    def read(self, reader: SourceReader, index: int, size: int, before: RunningHash, *, last: bool) -> Read:
        """From the cache, or with the caller's reader for all. Raises SourceError, to all who wait for that block."""
        key = (index, before.length, size)
        with self._lock:
            block = self._blocks.get(key)
            if ours := block is None:
                block = self._blocks[key] = Future()
            else:
                self._blocks.move_to_end(key)
        if ours:
            self._fill(key, block, reader, before, last=last)
        return block.result()

    def _fill(self, key: _Key, block: Future[Read], reader: SourceReader, before: RunningHash, *, last: bool) -> None:
        try:
            got = reader.read(key[0], key[2], before, last=last)
        except BaseException as error:
            with self._lock:
                del self._blocks[key]
            block.set_exception(error)
            return
        block.set_result(got)
        with self._lock:
            self._held += _cost(got)
            self._make_room()

    def _make_room(self) -> None:
        """Forget what was used least recently. Blocks that are being read are few, and stay."""
        for key in list(self._blocks):
            if self._held <= self._limit:
                return
            if (block := self._blocks[key]).done():
                self._held -= _cost(block.result())
                del self._blocks[key]


class Share:
    """What one transfer reads through: `reading.Blocks`."""

    def __init__(self, whole: Broadcast, reader: SourceReader) -> None:
        self._whole = whole
        self._reader = reader

    def hash_prefix(self, index: int, length: int) -> RunningHash:
        """Of a file that an earlier run had begun. Raises SourceError."""
        return self._reader.hash_prefix(index, length)

    def read(self, index: int, size: int, before: RunningHash, *, last: bool) -> Read:
        """Raises SourceError."""
        return self._whole.read(self._reader, index, size, before, last=last)

    def interrupt(self) -> None:
        """Nothing that is shared blocks."""

    def close(self) -> None:
        """Let go of the file that is open here."""
        self._reader.close()


def _cost(block: Read) -> int:
    """Bytes of memory: the data, and about so much for the hash and the bookkeeping."""
    return len(block.data) + 3072
