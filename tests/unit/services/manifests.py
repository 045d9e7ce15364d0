"""What a transfer is made of, for tests of the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blake3 import blake3

from mayfly.files.records import Entry, EntryType
from mayfly.services.storage import Plan

TIME = 1_600_000_000_123_456_789


def file(index: int, path: str, size: int | None, **more: Any) -> Entry:
    """A file's entry."""
    return Entry(index, tuple(path.split("/")), EntryType.FILE, size, TIME, **more)


def folder(index: int, path: str) -> Entry:
    """A folder's entry."""
    return Entry(index, tuple(path.split("/")), EntryType.DIRECTORY, 0, TIME)


def link(index: int, path: str, target: str) -> Entry:
    """A symbolic link's entry."""
    return Entry(index, tuple(path.split("/")), EntryType.SYMLINK, 0, TIME, target=target)


def plan(*entries: Entry, transfer: bytes = b"T" * 16) -> Plan:
    """A plan of these entries, called after the first top."""
    sizes = [entry.size for entry in entries]
    total = None if None in sizes else sum(size for size in sizes if size is not None)
    return Plan(transfer, entries[0].path[0], entries, total)


def digest(*pieces: bytes) -> bytes:
    """BLAKE3 of all of it."""
    return blake3(b"".join(pieces)).digest()


def blocks(data: bytes, size: int) -> Sequence[bytes]:
    """The data in pieces."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def open_files() -> int:
    """Descriptors of this process."""
    return len(list(Path("/dev/fd").iterdir()))
