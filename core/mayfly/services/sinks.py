"""Where a transfer goes: the calls that the writer makes, and the two places that are no files.

`storage.Storage` is the third. Every call blocks.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import Protocol

from mayfly.errors import MayflyError
from mayfly.files.records import Buffer, Entry, EntryType, Reason

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StorageError(MayflyError):
    """The disk refused a step of a receive. `reason` is what the sender is told."""

    stage = "disk"
    advice = "See whether the disk is there and can be written to, and give the same command again."

    def __init__(self, reason: Reason, message: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason

    @classmethod
    def of(cls, error: OSError, doing: str) -> StorageError:
        """What the system said, in words."""
        if isinstance(error, FileExistsError):
            return cls(Reason.EXISTS, f"{doing}: it exists already", "Move it away, or receive with --overwrite.")
        if error.errno in _FULL:
            return cls(Reason.DISK_FULL, f"{doing}: the disk is full", "Make room and receive again: it goes on.")
        return cls(Reason.DISK_FAILED, f"{doing}: {os.strerror(error.errno or 0)}")


class Sink(Protocol):
    """One transfer's place. All calls raise StorageError. `sync`, `finish` and `place_small` may run beside `write` and
    `write_small`, but nothing of one file runs beside its own `finish`."""

    whole: frozenset[int]
    """After `open`: files that are there from an earlier run."""
    part: tuple[int, int]
    """After `open`: the file that an earlier run was receiving, and how many verified bytes of it there are."""
    batches: bool
    """Whether small files go through `write_small` and `place_small`."""

    def open(self) -> None:
        """Look what is there, and see that the rest has room."""
        ...

    def hash_part(self, update: Callable[[bytes], object]) -> None:
        """Feed the bytes of `part` to a hash."""
        ...

    def write(self, index: int, offset: int, data: Buffer) -> None:
        """Verified bytes of the file under way."""
        ...

    def write_small(self, index: int, data: Buffer) -> None:
        """A whole small file, verified."""
        ...

    def sync(self, index: int, offset: int) -> None:
        """Have the file under way on the disk up to `offset`."""
        ...

    def finish(self, index: int) -> None:
        """The file under way is whole."""
        ...

    def place_small(self, indexes: Sequence[int]) -> None:
        """Have these small files on the disk, finished."""
        ...

    def publish(self) -> None:
        """Everything is whole."""
        ...

    def discard(self) -> None:
        """Delete what is there, and close."""
        ...

    def close(self) -> None:
        """Let go; what is there stays."""
        ...


class _OneFile:
    """The base of sinks that take the bytes of one file in order, and keep nothing for another time."""

    batches = False

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self.whole: frozenset[int] = frozenset()
        self.part: tuple[int, int] = (-1, 0)

    def open(self) -> None:
        """Refuses anything but one file."""
        if len(self._entries) != 1 or self._entries[0].type is not EntryType.FILE:
            raise StorageError(Reason.DISK_FAILED, "only one file can go there", "Receive into a directory.")

    def hash_part(self, update: Callable[[bytes], object]) -> None:
        """There is no part."""

    def write(self, index: int, offset: int, data: Buffer) -> None:
        """The next bytes."""
        raise NotImplementedError

    def write_small(self, index: int, data: Buffer) -> None:
        """As one piece."""
        self.write(index, 0, data)

    def sync(self, index: int, offset: int) -> None:
        """Nothing to wait for."""

    def finish(self, index: int) -> None:
        """Nothing to do."""

    def place_small(self, indexes: Sequence[int]) -> None:
        """Nothing to do."""

    def publish(self) -> None:
        """Nothing to do."""

    def discard(self) -> None:
        """Nothing to delete."""

    def close(self) -> None:
        """Nothing to let go of."""


class Output(_OneFile):
    """A descriptor, mostly standard output. It stays open."""

    def __init__(self, entries: Sequence[Entry], descriptor: int) -> None:
        super().__init__(entries)
        self._descriptor = descriptor

    def write(self, index: int, offset: int, data: Buffer) -> None:
        """Blocks while the reader of the pipe does not read."""
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise StorageError.of(error, "cannot write to the output") from None


class Text(_OneFile):
    """Memory; the manifest bounds how much."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__(entries)
        self._data = bytearray()

    @property
    def text(self) -> str:
        """What has come so far. Foreign text."""
        return self._data.decode(errors="replace")

    def write(self, index: int, offset: int, data: Buffer) -> None:
        """The next bytes."""
        self._data += data
