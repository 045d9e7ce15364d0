"""The records of a FILE stream (core/PROTOCOL.md, Files).

Each record's `encode` writes it, `decode` reads a body; `reader.RecordReader` takes the stream apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Protocol, TypeAlias

from mayfly.files.fields import Body, FilesError, optional, signed
from mayfly.wire.enums import member
from mayfly.wire.record import record
from mayfly.wire.varint import encode_varint, prefixed

Buffer: TypeAlias = bytes | bytearray | memoryview

BLOCK: Final = 1024 * 1024
"""Bytes under one hash record; offsets of a resumed file are multiples of it."""

MAX_CHUNK: Final = 256 * 1024
MAX_RECORD: Final = 16 * 1024
"""Bytes of any other record's body."""

ID_SIZE: Final = 16
HASH_SIZE: Final = 32
MAX_DISPLAY_NAME: Final = 1024
"""Bytes of an OFFER's name."""


class Kind(IntEnum):
    """What the sender was asked to send. The entries say the rest."""

    MIXED = 0
    DIRECTORY = 1
    STDIN = 2
    TEXT = 3
    FILES = 4

    @property
    def word(self) -> str:
        """In events: there is one for files, with others among them or without."""
        return "files" if self is Kind.MIXED else self.name.lower()


class EntryType(IntEnum):
    """What an entry is."""

    FILE = 0
    DIRECTORY = 1
    SYMLINK = 2


class Reason(IntEnum):
    """Why a transfer ended without being complete."""

    USER = 0
    LEAVING = 1
    SOURCE_CHANGED = 2
    SOURCE_FAILED = 3
    DISK_FULL = 4
    DISK_FAILED = 5
    WRONG_HASH = 6
    EXISTS = 7
    BAD_NAME = 8
    LIMIT = 9
    PROTOCOL = 10
    BUSY = 11


class RecordType(IntEnum):
    """The types on the wire."""

    OFFER = 0x01
    ENTRY = 0x02
    END_OF_ENTRIES = 0x03
    FILE = 0x04
    CHUNK = 0x05
    CHUNK_HASH = 0x06
    FILE_HASH = 0x07
    FINISHED = 0x08
    ACCEPT = 0x10
    DECLINE = 0x11
    WANT = 0x12
    SKIP = 0x13
    ON_DISK = 0x14
    DONE = 0x15
    COMPLETED = 0x16
    PAUSE = 0x20
    RESUME = 0x21
    CANCEL = 0x22


class Record(Protocol):
    """What the reader gives and a machine sends."""

    def encode(self) -> bytes:
        """Type, length, body."""
        ...


# From the sender


@dataclass(frozen=True, slots=True)
class Offer:
    """What is on offer. Nothing follows until it has been accepted."""

    transfer: bytes
    """16 bytes, the same for the same source set."""
    kind: Kind
    name: str
    """For people; it names no path."""
    total: int | None
    """Bytes of all files, None while one of them is unknown."""
    entries: int
    """How many ENTRY records will follow, at least 1."""

    def encode(self) -> bytes:
        counts = optional(self.total) + encode_varint(self.entries)
        return record(RecordType.OFFER, self.transfer, encode_varint(self.kind), counts, prefixed(self.name.encode()))


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, directory or symbolic link. A directory stands before what is in it."""

    index: int
    path: tuple[str, ...]
    """Components, relative to where the receiver puts the transfer. Encoding one that is not Unicode raises."""
    type: EntryType
    size: int | None
    """Bytes of a file, None when unknown; 0 for all else."""
    mtime_ns: int
    """Nanoseconds since 1970, signed, 64 bits."""
    executable: bool = False
    target: str = ""
    """A symbolic link's."""

    def encode(self) -> bytes:
        head = encode_varint(self.index) + encode_varint(self.type) + optional(self.size) + signed(self.mtime_ns)
        path = b"".join(prefixed(part.encode()) for part in self.path)
        tail = bytes((self.executable,)) + prefixed(self.target.encode())
        return record(RecordType.ENTRY, head, encode_varint(len(self.path)), path, tail)


@dataclass(frozen=True, slots=True)
class EndOfEntries:
    """The manifest is whole."""

    def encode(self) -> bytes:
        return record(RecordType.END_OF_ENTRIES)


@dataclass(frozen=True, slots=True)
class File:
    """The CHUNKs that follow are this file's, from `offset` on: where WANT said, or 0 to start anew."""

    index: int
    offset: int

    def encode(self) -> bytes:
        return record(RecordType.FILE, encode_varint(self.index), encode_varint(self.offset))


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of the file. A reader gives a CHUNK record in one or more of these; one holds at most MAX_CHUNK bytes."""

    data: Buffer

    def encode(self) -> bytes:
        return chunk_head(len(self.data)) + self.data


@dataclass(frozen=True, slots=True)
class ChunkHash:
    """BLAKE3 of the file from its start to the end of the block that is full now."""

    digest: bytes

    def encode(self) -> bytes:
        return record(RecordType.CHUNK_HASH, self.digest)


@dataclass(frozen=True, slots=True)
class FileHash:
    """The file ends here: its size, and BLAKE3 of the whole."""

    size: int
    digest: bytes

    def encode(self) -> bytes:
        return record(RecordType.FILE_HASH, encode_varint(self.size), self.digest)


@dataclass(frozen=True, slots=True)
class Finished:
    """Every file that was wanted has been sent."""

    def encode(self) -> bytes:
        return record(RecordType.FINISHED)


# From the receiver


@dataclass(frozen=True, slots=True)
class Accept:
    """Send the manifest."""

    def encode(self) -> bytes:
        return record(RecordType.ACCEPT)


@dataclass(frozen=True, slots=True)
class Decline:
    """The offer is not wanted."""

    reason: Reason

    def encode(self) -> bytes:
        return record(RecordType.DECLINE, encode_varint(self.reason))


@dataclass(frozen=True, slots=True)
class Want:
    """Send this file from `offset` on, if what stands before it has this BLAKE3; empty where the offset is 0."""

    index: int
    offset: int = 0
    digest: bytes = b""

    def encode(self) -> bytes:
        return record(RecordType.WANT, encode_varint(self.index), encode_varint(self.offset), self.digest)


@dataclass(frozen=True, slots=True)
class Skip:
    """This file is there already, whole."""

    index: int

    def encode(self) -> bytes:
        return record(RecordType.SKIP, encode_varint(self.index))


@dataclass(frozen=True, slots=True)
class OnDisk:
    """The file is verified and written up to `offset`."""

    index: int
    offset: int

    def encode(self) -> bytes:
        return record(RecordType.ON_DISK, encode_varint(self.index), encode_varint(self.offset))


@dataclass(frozen=True, slots=True)
class Done:
    """The file is verified, written, and has its final name, or will have it with COMPLETED."""

    index: int

    def encode(self) -> bytes:
        return record(RecordType.DONE, encode_varint(self.index))


@dataclass(frozen=True, slots=True)
class Completed:
    """The whole transfer is in its place."""

    def encode(self) -> bytes:
        return record(RecordType.COMPLETED)


# From both


@dataclass(frozen=True, slots=True)
class Pause:
    """Its sender wants no data to move."""

    def encode(self) -> bytes:
        return record(RecordType.PAUSE)


@dataclass(frozen=True, slots=True)
class Resume:
    """Its sender's PAUSE is over."""

    def encode(self) -> bytes:
        return record(RecordType.RESUME)


@dataclass(frozen=True, slots=True)
class Cancel:
    """The transfer ends here."""

    reason: Reason

    def encode(self) -> bytes:
        return record(RecordType.CANCEL, encode_varint(self.reason))


def chunk_head(size: int) -> bytes:
    """What stands before the data of a CHUNK of `size` bytes."""
    return encode_varint(RecordType.CHUNK) + encode_varint(size)


def _reason(body: Body) -> Reason:
    return member(Reason, body.number(), Reason.LEAVING)


def _offer(body: Body) -> Offer:
    transfer = body.take(ID_SIZE)
    kind = member(Kind, body.number(), Kind.MIXED)
    total = body.optional()
    entries = body.number()
    if not entries:
        raise FilesError("an offer without entries")
    return Offer(transfer, kind, body.text(MAX_DISPLAY_NAME), total, entries)


def _entry(body: Body) -> Entry:
    index = body.number()
    kind = member(EntryType, body.number())
    if kind is None:
        raise FilesError("an entry of an unknown type")
    size = body.optional()
    mtime = body.signed()
    parts = body.number()
    if not 0 < parts <= MAX_RECORD:
        raise FilesError("an entry without a path")
    path = tuple(body.text() for _ in range(parts))
    executable = body.take(1) != b"\0"
    target = body.text()
    if kind is not EntryType.FILE and size != 0:
        raise FilesError("an entry that is no file has a size")
    if (kind is EntryType.SYMLINK) != bool(target):
        raise FilesError("an entry's target does not fit its type")
    return Entry(index, path, kind, size, mtime, executable, target)


def _want(body: Body) -> Want:
    index, offset = body.number(), body.number()
    return Want(index, offset, body.take(HASH_SIZE) if offset else b"")


_DECODERS: Final[dict[int, Callable[[Body], Record]]] = {
    RecordType.OFFER: _offer,
    RecordType.ENTRY: _entry,
    RecordType.END_OF_ENTRIES: lambda body: EndOfEntries(),
    RecordType.FILE: lambda body: File(body.number(), body.number()),
    RecordType.CHUNK_HASH: lambda body: ChunkHash(body.take(HASH_SIZE)),
    RecordType.FILE_HASH: lambda body: FileHash(body.number(), body.take(HASH_SIZE)),
    RecordType.FINISHED: lambda body: Finished(),
    RecordType.ACCEPT: lambda body: Accept(),
    RecordType.DECLINE: lambda body: Decline(_reason(body)),
    RecordType.WANT: _want,
    RecordType.SKIP: lambda body: Skip(body.number()),
    RecordType.ON_DISK: lambda body: OnDisk(body.number(), body.number()),
    RecordType.DONE: lambda body: Done(body.number()),
    RecordType.COMPLETED: lambda body: Completed(),
    RecordType.PAUSE: lambda body: Pause(),
    RecordType.RESUME: lambda body: Resume(),
    RecordType.CANCEL: lambda body: Cancel(_reason(body)),
}


def decode(kind: int, body: bytes) -> Record:
    """The record of this type; CHUNK is not read here. Raises FilesError."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise FilesError("a record of an unknown type")
    fields = Body(body)
    record = decoder(fields)
    fields.end()
    return record
