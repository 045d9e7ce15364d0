"""BLAKE3 over files and over what a transfer is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Self

from blake3 import blake3

from mayfly.files.records import ID_SIZE, Buffer, Entry
from mayfly.wire.varint import encode_varint


class RunningHash:
    """The hash of a file's first `length` bytes, which goes on with the bytes behind them."""

    __slots__ = ("_hasher", "length")

    def __init__(self) -> None:
        self._hasher = blake3()
        self.length = 0

    def add(self, data: Buffer) -> None:
        """The next bytes."""
        self._hasher.update(data)
        self.length += len(data)

    def digest(self) -> bytes:
        """BLAKE3 of all so far; adding may go on."""
        return self._hasher.digest()

    def copy(self) -> Self:
        """Another one in the same state, about 2 KiB."""
        other = type(self)()
        other._hasher = self._hasher.copy()
        other.length = self.length
        return other


def hash_prefix(read: Callable[[int, int], bytes], length: int, step: int) -> RunningHash:
    """The hash of the first `length` bytes, read by (offset, size); of fewer where the file is shorter."""
    running = RunningHash()
    while running.length < length:
        data = read(running.length, min(step, length - running.length))
        if not data:
            break
        running.add(data)
    return running


def transfer_id(entries: Iterable[Entry], salt: bytes = b"") -> bytes:
    """16 bytes that are the same for the same paths, types, sizes, times and links in any order, and for nothing else.

    `salt` keeps apart what has no such description, as the standard input of two runs.
    """
    whole = blake3(encode_varint(len(salt)) + salt)
    for entry in sorted(entries, key=lambda entry: entry.path):
        size = -1 if entry.size is None else entry.size
        numbers = (entry.type, size, entry.mtime_ns, entry.executable, len(entry.path))
        texts = (*entry.path, entry.target)
        for field in (*(b"%d" % number for number in numbers), *(text.encode() for text in texts)):
            whole.update(encode_varint(len(field)) + field)
    return whole.digest(ID_SIZE)
