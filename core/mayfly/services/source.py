"""The sender's side of the disk: what there is to send, and reading it so that a change under way is noticed.

`scan` lists files and folders; `text` and `piped` make sources of one entry. A `SourceReader` serves one transfer: it
keeps one file open and the hash of what it has read of it. Every call blocks; the driver makes them in a thread.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mayfly.config import FilesConfig
from mayfly.errors import MayflyError, UsageError
from mayfly.files.records import BLOCK, Entry, EntryType, Kind, Offer, Reason
from mayfly.runtime.terminal import printable
from mayfly.services.hashing import RunningHash, hash_prefix, transfer_id

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class SourceError(MayflyError):
    """A file cannot be sent any more. `reason` is what the receiver is told."""

    stage = "source"
    advice = "See whether the file is there and can be read, and send again."

    def __init__(self, reason: Reason, message: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Read:
    """Bytes of a file, the hash of all of it up to their end, and whether the end of the file has been seen."""

    data: bytes
    running: RunningHash
    ended: bool


class Content(Protocol):
    """The bytes of one entry."""

    def open(self) -> OpenContent:
        """Raises SourceError."""
        ...


class OpenContent(Protocol):
    """The bytes of one entry while they are read."""

    def read(self, offset: int, size: int) -> bytes:
        """Bytes at `offset`: all that were asked for, or fewer at the end. Raises SourceError."""
        ...

    def check(self) -> None:
        """Raises SourceError if the content is no longer what was listed."""
        ...

    def interrupt(self) -> None:
        """Make a read that blocks in another thread raise soon. Files do not block."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that one `send` offers. Names are as they stand on this machine."""

    kind: Kind
    name: str
    entries: Sequence[Entry]
    contents: Sequence[Content | None]
    """By the entry's index; None for what has no bytes."""
    transfer: bytes
    left_out: Sequence[str] = ()
    """Paths that are not sent, in order: symbolic links unless asked for, and what is neither file nor folder."""
    again: bool = True
    """Whether it can be read more than once, from any offset."""

    @property
    def total(self) -> int | None:
        """Bytes of all files; None when one is unknown."""
        sizes = [entry.size for entry in self.entries]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def offer(self) -> Offer:
        """What the receiver is asked."""
        return Offer(self.transfer, self.kind, self.name, self.total, len(self.entries))


class SourceReader:
    """Reads for one transfer: file after file, each from an offset on."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._index = -1
        self._open: OpenContent | None = None
        self._interrupted = False

    def hash_prefix(self, index: int, length: int) -> RunningHash:
        """The hash of the first bytes; of fewer than `length` when the file is shorter. Raises SourceError."""
        content = self._begin(index)
        return hash_prefix(content.read, length, BLOCK)

    def read(self, index: int, size: int, before: RunningHash, *, last: bool) -> Read:
        """The bytes that follow those of `before`, which stays as it is. Raises SourceError when the file has changed
        since it was listed, at the latest with its last bytes."""
        content = self._begin(index)
        data = content.read(before.length, size)
        known = self._source.entries[index].size is not None
        if known and len(data) < size:
            raise changed(self._source.entries[index])
        if last:
            content.check()
        running = before.copy()
        running.add(data)
        return Read(data, running, last if known else len(data) < size)

    def interrupt(self) -> None:
        """Any thread: a read that blocks raises soon, and so does every later one."""
        self._interrupted = True
        if self._open is not None:
            self._open.interrupt()

    def close(self) -> None:
        """Let go of the file that is open."""
        if self._open is not None:
            self._open.close()
        self._open, self._index = None, -1

    def _begin(self, index: int) -> OpenContent:
        if self._open is not None and self._index == index:
            return self._open
        self.close()
        content = self._source.contents[index]
        if content is None:
            raise SourceError(Reason.PROTOCOL, "the receiver asked for the bytes of something that is no file")
        self._open, self._index = content.open(), index
        if self._interrupted:
            raise _interrupted()
        return self._open


def _interrupted() -> SourceError:
    return SourceError(Reason.USER, "reading was interrupted")


def changed(entry: Entry) -> SourceError:
    """The error for a file that is not what was listed."""
    name = printable("/".join(entry.path))
    return SourceError(Reason.SOURCE_CHANGED, f"{name} was changed while it was sent", "Send it again.")


# Files


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file as it was when it was listed."""

    path: str
    entry: Entry
    device: int
    inode: int

    def open(self) -> OpenContent:
        """Raises SourceError if another file, or none, stands there now."""
        try:
            descriptor = os.open(self.path, _OPEN)
        except OSError as error:
            raise self.failed(error) from None
        opened = _OpenFile(self, descriptor)
        try:
            opened.check()
        except SourceError:
            opened.close()
            raise
        return opened

    def is_still(self, found: os.stat_result) -> bool:
        """Whether size, time and identity are those that were listed."""
        now = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        return stat.S_ISREG(found.st_mode) and now == (self.device, self.inode, self.entry.size, self.entry.mtime_ns)

    def failed(self, error: OSError) -> SourceError:
        """What the system said, in words."""
        name = printable("/".join(self.entry.path))
        return SourceError(Reason.SOURCE_FAILED, f"cannot read {name}: {os.strerror(error.errno or 0)}")


class _OpenFile:
    def __init__(self, content: FileContent, descriptor: int) -> None:
        self._content = content
        self._descriptor = descriptor

    def read(self, offset: int, size: int) -> bytes:
        try:
            data = os.pread(self._descriptor, size, offset)
            while 0 < len(data) < size and (more := os.pread(self._descriptor, size - len(data), offset + len(data))):
                data += more
        except OSError as error:
            raise self._content.failed(error) from None
        return data

    def check(self) -> None:
        if not self._content.is_still(os.fstat(self._descriptor)):
            raise changed(self._content.entry)

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        os.close(self._descriptor)


@dataclass(slots=True)
class _Listing:
    config: FilesConfig
    links: bool
    entries: list[Entry] = field(default_factory=list[Entry])
    contents: list[Content | None] = field(default_factory=list["Content | None"])
    left_out: list[str] = field(default_factory=list[str])

    def add(self, path: str, parts: tuple[str, ...]) -> None:
        """One path and what is below it, a folder before what is in it, names in order. Raises UsageError, OSError."""
        found = os.lstat(path)
        index, mode = len(self.entries), found.st_mode
        if index >= self.config.max_entries:
            raise UsageError(
                f"more than {self.config.max_entries} files and directories", hint="Send an archive of them."
            )
        if len(parts) > self.config.max_depth:
            raise UsageError(f"{printable(path)} is too deep", hint="Send an archive of it.")
        content: FileContent | None = None
        if stat.S_ISREG(mode):
            if not os.access(path, os.R_OK):
                raise PermissionError(errno.EACCES, "", path)
            executable = bool(mode & stat.S_IXUSR)
            entry = Entry(index, parts, EntryType.FILE, found.st_size, found.st_mtime_ns, executable)
            content = FileContent(path, entry, found.st_dev, found.st_ino)
        elif stat.S_ISDIR(mode):
            entry = Entry(index, parts, EntryType.DIRECTORY, 0, found.st_mtime_ns)
        elif stat.S_ISLNK(mode) and self.links:
            entry = Entry(index, parts, EntryType.SYMLINK, 0, found.st_mtime_ns, target=str(Path(path).readlink()))
        else:
            self.left_out.append("/".join(parts))
            return
        self.entries.append(entry)
        self.contents.append(content)
        if entry.type is EntryType.DIRECTORY:
            with os.scandir(path) as inside:
                names = sorted(item.name for item in inside)
            for name in names:
                self.add(os.path.join(path, name), (*parts, name))  # noqa: PTH118 - Path costs too much a file


def scan(paths: Sequence[Path], *, links: bool = False, config: FilesConfig | None = None) -> Source:
    """List what to send. A link that is named itself is followed; others are left out, or sent as links if `links`.

    Raises UsageError for a path that is not there or cannot be listed, for two of the same name, and for names that are
    not Unicode.
    """
    listing = _Listing(config or FilesConfig(), links)
    tops: set[str] = set()
    for path in paths:
        try:
            real = path.resolve(strict=True)
            name = path.name if path.name not in ("", "..") else real.name
            if name in tops:
                raise UsageError(f"two things to send are called {printable(name)}", hint="Send them one by one.")
            tops.add(name)
            listing.add(str(real), (name or "root",))
        except OSError as error:
            shown = printable(str(error.filename or path))
            raise UsageError(
                f"cannot send {shown}: {os.strerror(error.errno or 0)}", hint="Correct the path, or leave it out."
            ) from None
    _require_unicode(listing.entries)
    if not listing.entries:
        raise UsageError("there is nothing to send", hint="--symlinks sends symbolic links as well.")
    alone = len(paths) == 1
    if all(entry.type is EntryType.FILE for entry in listing.entries):
        kind = Kind.FILES
    else:
        kind = Kind.DIRECTORY if alone else Kind.MIXED
    first = listing.entries[0].path[0]
    name = first if alone else f"{first} and {len(paths) - 1} more"
    return Source(kind, name, listing.entries, listing.contents, transfer_id(listing.entries), listing.left_out)


def _require_unicode(entries: Sequence[Entry]) -> None:
    for entry in entries:
        try:
            "".join((*entry.path, entry.target)).encode()
        except UnicodeEncodeError:
            raise UsageError(f"{printable('/'.join(entry.path))} is not a Unicode name", hint="Rename it.") from None


# Text and pipes


@dataclass(frozen=True, slots=True)
class _Bytes:
    data: bytes

    def open(self) -> OpenContent:
        return self

    def read(self, offset: int, size: int) -> bytes:
        return self.data[offset : offset + size]

    def check(self) -> None:
        pass

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        pass


def text(words: str, now_ns: int) -> Source:
    """A text, which the receiver is shown and which becomes no file."""
    data = words.encode()
    entry = Entry(0, ("text",), EntryType.FILE, len(data), now_ns)
    return Source(Kind.TEXT, "text", (entry,), (_Bytes(data),), transfer_id([entry], data))


class _Pipe:
    """Bytes that come once. Reads block until all are there, or the end is, or somebody interrupts."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0
        self._stop, self._stopper = os.pipe()

    def open(self) -> OpenContent:
        return self

    def read(self, offset: int, size: int) -> bytes:
        if offset != self._at:
            raise SourceError(Reason.SOURCE_FAILED, "standard input cannot be read twice", "Send a file instead.")
        try:
            data = b"".join(self._pieces(size))
        except OSError as error:
            raise SourceError(Reason.SOURCE_FAILED, f"cannot read: {os.strerror(error.errno or 0)}") from None
        self._at += len(data)
        return data

    def _pieces(self, size: int) -> Iterator[bytes]:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        poll.register(self._stop, select.POLLIN)
        while size:
            if any(ready == self._stop for ready, _ in poll.poll()):
                raise _interrupted()
            piece = os.read(self._descriptor, size)
            if not piece:
                return
            yield piece
            size -= len(piece)

    def check(self) -> None:
        pass

    def interrupt(self) -> None:
        os.write(self._stopper, b"!")

    def close(self) -> None:
        if self._stop >= 0:
            os.close(self._stop)
            os.close(self._stopper)
            self._stop = self._stopper = -1


def piped(descriptor: int, salt: bytes, now_ns: int) -> Source:
    """Standard input: no size, and readable once only. `salt` is random, so that no two runs are taken for one."""
    entry = Entry(0, ("stdin",), EntryType.FILE, None, now_ns)
    return Source(Kind.STDIN, "stdin", (entry,), (_Pipe(descriptor),), transfer_id([entry], salt), again=False)
