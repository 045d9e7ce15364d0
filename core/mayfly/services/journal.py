"""The note beside a part: whose it is, and how far it can be trusted after the process, or the machine, was stopped.

One JSON object of fixed length, so that each note is one write in place that takes no new room on a full disk. Two
offsets are kept of the file that is under way: bytes that were verified and handed to the system, which outlive the
process, and bytes that were synced, which outlive the machine. Which of them holds is told by the machine's boot id.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Self

from mayfly.services.placing import write_all

SIZE = 512
VERSION = 1


@dataclass(frozen=True, slots=True)
class Note:
    """What a journal says."""

    transfer: str
    """The transfer id in hex: the sender's paths, sizes and times."""
    file: int = -1
    """Index of the file that is under way, -1 for none."""
    written: int = 0
    """Its verified bytes that the system has."""
    synced: int = 0
    """Its verified bytes that the disk has."""
    boot: str = ""
    """The run of the machine in which `written` holds."""
    publishing: bool = False
    """Everything is whole and is being given its final names."""


_TYPES = {"transfer": str, "file": int, "written": int, "synced": int, "boot": str, "publishing": bool}


class BusyError(Exception):
    """Another process holds the journal."""


class Journal:
    """An open journal, locked for this process. Calls block; one thread at a time."""

    def __init__(self, descriptor: int, note: Note | None) -> None:
        self._descriptor = descriptor
        self.note = note
        """What it said when it was opened, then what was written last; None when it was new or unreadable."""

    @classmethod
    def open(cls, directory: int, name: str) -> Self:
        """Open or make the journal `name`. Raises BusyError, OSError (ELOOP at a symbolic link)."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=directory)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink == 0:  # its last owner has just finished and deleted it
                raise BlockingIOError
            return cls(descriptor, _decode(os.pread(descriptor, SIZE + 1, 0)))
        except BlockingIOError:
            os.close(descriptor)
            raise BusyError from None
        except BaseException:
            os.close(descriptor)
            raise

    def write(self, note: Note, *, sync: bool = False) -> None:
        """Put a note in the place of the last one. Raises OSError."""
        self.note = note = replace(note, boot=boot_id())
        text = json.dumps(asdict(note) | {"version": VERSION}).encode()
        write_all(self._descriptor, text.ljust(SIZE - 1) + b"\n", 0)
        if sync:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the lock."""
        os.close(self._descriptor)


def trusted(note: Note) -> int:
    """Bytes of the file under way that are certainly there."""
    return note.written if note.boot == boot_id() and note.boot else note.synced


@cache
def boot_id() -> str:
    """This run of the machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _decode(data: bytes) -> Note | None:
    """None for anything that is not a whole note of this version: a torn one is worth nothing."""
    try:
        said = json.loads(data)
        if len(data) != SIZE or said.pop("version") != VERSION:
            return None
        note = Note(**said)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return note if all(type(getattr(note, name)) is kind for name, kind in _TYPES.items()) else None
