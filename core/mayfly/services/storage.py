"""The receiver's side of the disk: parts beside the target, and final names only for what is whole.

::

    one file           NAME.part        NAME.part.json      -> NAME
    anything else      NAME.part/tree/… NAME.part.json      -> every top of the tree, folders whole
                       NAME.part/now    the file that is under way
                       NAME.part/new-N  small files before they are synced

Nothing below `tree/` is unfinished: a file gets its name there once its bytes are verified and synced, so after any
stop the tree itself says which files are there. `publish` gives the final names at the end, and goes on where it was
stopped. `sinks.Sink` says which calls may run beside each other; all of them block.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from threading import Lock

from blake3 import blake3

from mayfly.files.names import MAX_NAME
from mayfly.files.records import BLOCK, Buffer, Entry, EntryType, Reason
from mayfly.runtime.amounts import amount
from mayfly.runtime.terminal import printable
from mayfly.services import placing
from mayfly.services.journal import BusyError, Journal, Note, trusted
from mayfly.services.sinks import StorageError

_NEW = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_NOW = "now"
_TREE = "tree"
_JOURNAL = ".json"
_READ = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What is going to be received, with names that are safe already."""

    transfer: bytes
    name: str
    """What the parts are called after: the only top of the tree, or a name for all of them."""
    entries: Sequence[Entry]
    """By index. A link without a target is not made."""
    total: int | None
    """Bytes of all files together; None if unknown."""

    @property
    def single(self) -> bool:
        """Whether it is one file and nothing else."""
        return len(self.entries) == 1 and self.entries[0].type is EntryType.FILE and len(self.entries[0].path) == 1


class Storage:
    """One transfer's place on the disk."""

    def __init__(self, plan: Plan, into: Path, *, overwrite: bool = False, durable: bool = True) -> None:
        self._plan = plan
        self._into = into
        self._overwrite = overwrite
        self._durable = durable
        self._entries = plan.entries
        self._part = _beside(plan.name, ".part")
        self._root = self._stage = -1
        self._journal: Journal | None = None
        self._now = self._now_index = -1
        self._noting = Lock()
        self._fresh = False
        self.batches = not plan.single
        """Whether small files go through `write_small` and `place_small`."""
        self.whole: frozenset[int] = frozenset()
        """Files that an earlier run has received whole."""
        self.part: tuple[int, int] = (-1, 0)
        """The file that an earlier run was receiving, and its verified bytes: a multiple of BLOCK, or its size."""

    def open(self) -> None:
        """Find or make the part, and see that everything has room. Raises StorageError."""
        try:
            self._open()
        except BaseException as error:
            if self._fresh:
                self.discard()
            self.close()
            if isinstance(error, OSError):
                raise StorageError.of(error, f"cannot receive {printable(self._plan.name)}") from None
            raise

    def _open(self) -> None:
        self._into.mkdir(parents=True, exist_ok=True)
        self._root = os.open(self._into, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        note = self._open_journal()
        if note is not None and note.publishing and not self._all_stand_somewhere():
            note = None
        if not self._overwrite:
            self._refuse_to_replace(note is not None and note.publishing)
        if note is None:
            placing.remove((self._root, self._part))
            self._fresh = True
        if not self._plan.single:
            self._open_stage()
        if note is not None:
            self._see_what_is_there(note)
        self._require_room()
        if note is None:
            self._write_note(Note(self._plan.transfer.hex()), sync=self._durable)

    def hash_part(self, update: Callable[[bytes], object]) -> None:
        """Feed the verified bytes of the part to a hash. Raises StorageError."""
        index, length = self.part
        with self._telling(index):
            self._begin(index)
            for start in range(0, length, _READ):
                update(os.pread(self._now, min(_READ, length - start), start))

    def write(self, index: int, offset: int, data: Buffer) -> None:
        """Put verified bytes at their place: offset 0 begins the file, all others go on. Raises StorageError."""
        with self._telling(index):
            self._begin(index)
            if offset == 0:
                os.ftruncate(self._now, 0)
            placing.write_all(self._now, data, offset)
            end = offset + len(data)
            with self._noting:
                note = self._note()
                synced = min(note.synced, offset) if note.file == index else 0
                self._write_note(Note(note.transfer, index, end, synced))

    def write_small(self, index: int, data: Buffer) -> None:
        """Write a whole file beside the tree; `place_small` has to follow. Raises StorageError."""
        entry = self._entries[index]
        with self._telling(index):
            descriptor = os.open(_new(index), _NEW | os.O_TRUNC, _mode(entry), dir_fd=self._stage)
            try:
                placing.write_all(descriptor, data, 0)
                os.utime(descriptor, ns=(entry.mtime_ns, entry.mtime_ns))
            finally:
                os.close(descriptor)

    def sync(self, index: int, offset: int) -> None:
        """Wait until the file under way is on the disk up to `offset`. Raises StorageError."""
        with self._telling(index):
            self._sync_data(self._now)
            with self._noting:
                note = self._note()
                if note.file == index:
                    self._write_note(Note(note.transfer, index, note.written, offset))

    def finish(self, index: int) -> None:
        """The file under way is whole: give it its times and its place among the finished. Raises StorageError."""
        entry = self._entries[index]
        with self._telling(index):
            self._begin(index)
            os.utime(self._now, ns=(entry.mtime_ns, entry.mtime_ns))
            self._fsync(self._now)
            if not self._plan.single:
                with placing.folder(self._stage, [_TREE, *entry.path[:-1]], create=True) as folder:
                    placing.move_replacing((self._stage, _NOW), (folder, entry.path[-1]))
                with self._noting:
                    self._write_note(Note(self._plan.transfer.hex()))
            self._end()

    def place_small(self, indexes: Sequence[int]) -> None:
        """Sync small files all together and place them. Raises StorageError; then some of them may be placed."""
        with self._telling(indexes[0]):
            if self._durable:
                placing.sync_many(self._stage, [_new(index) for index in indexes])
            files = [self._entries[index] for index in indexes]
            for parents, group in groupby(files, lambda entry: entry.path[:-1]):  # a folder is found once for many
                with placing.folder(self._stage, [_TREE, *parents], create=True) as folder:
                    for entry in group:
                        placing.move_replacing((self._stage, _new(entry.index)), (folder, entry.path[-1]))

    def publish(self) -> None:
        """Everything is whole: give the final names, each in one step. Raises StorageError, EXISTS among them; then it
        may be called again, also by a later run."""
        with self._telling(-1):
            if not self._note().publishing:
                if not self._plan.single:
                    self._complete_tree()
                self._require_whole()
                self._write_note(Note(self._plan.transfer.hex(), publishing=True), sync=self._durable)
            if self._plan.single:
                self._move((self._root, self._part), self._plan.entries[0].path[0])
            else:
                with placing.folder(self._stage, [_TREE]) as tree:
                    for name in placing.names(tree):
                        self._move((tree, name), name)
            self._fsync(self._root)
            self.discard()

    def discard(self) -> None:
        """Delete the part and its journal, and close. Raises StorageError."""
        self._end()
        with self._telling(-1):
            if self._journal is not None:
                placing.remove((self._root, self._part))
                placing.remove((self._root, _journal_name(self._part)))
        self.close()

    def close(self) -> None:
        """Let go of the part; it stays for a later run. Does nothing the second time."""
        self._end()
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        for descriptor in (self._stage, self._root):
            if descriptor >= 0:
                os.close(descriptor)
        self._stage = self._root = -1

    # Opening

    def _open_journal(self) -> Note | None:
        """The journal's note if it is of this very transfer, and of the state that its source is in now."""
        name = _journal_name(self._part)
        ours = placing.exists((self._root, name))
        if not ours and placing.exists((self._root, self._part)):
            raise StorageError(
                Reason.EXISTS, f"{printable(self._part)} exists already and is not a part of ours", "Move it away."
            )
        try:
            self._journal = Journal.open(self._root, name)
            self._fresh = not ours
        except BusyError:
            raise StorageError(Reason.BUSY, f"{printable(self._plan.name)} is being received already") from None
        note = self._journal.note
        return note if note is not None and note.transfer == self._plan.transfer.hex() else None

    def _tops(self) -> list[str]:
        """The names that will stand in the target folder."""
        return list(dict.fromkeys(entry.path[0] for entry in self._plan.entries))

    def _all_stand_somewhere(self) -> bool:
        """Whether every top is in the part or has its final name: somebody may have moved a final one away."""
        return all(self._still_staged(name) or placing.exists((self._root, name)) for name in self._tops())

    def _refuse_to_replace(self, publishing: bool) -> None:
        for name in self._tops():
            if placing.exists((self._root, name)) and not (publishing and not self._still_staged(name)):
                raise StorageError.of(FileExistsError(), f"cannot receive {printable(name)}")

    def _still_staged(self, name: str) -> bool:
        parts = (self._part,) if self._plan.single else (self._part, _TREE, name)
        with suppress(FileNotFoundError), placing.folder(self._root, parts[:-1]) as folder:
            return placing.exists((folder, parts[-1]))
        return False

    def _open_stage(self) -> None:
        with placing.folder(self._root, [self._part, _TREE], create=True):
            self._stage = os.open(self._part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self._root)
        for name in placing.names(self._stage):
            if name.startswith("new-"):
                placing.remove((self._stage, name))

    def _see_what_is_there(self, note: Note) -> None:
        files = [entry for entry in self._plan.entries if entry.type is EntryType.FILE]
        if note.publishing:
            self.whole = frozenset(entry.index for entry in files)
            return
        if not self._plan.single:
            self.whole = self._placed(files)
        if 0 <= note.file < len(self._entries) and note.file not in self.whole:
            length = min(placing.size(self._now_place()) or 0, trusted(note))
            if length != self._entries[note.file].size:
                length -= length % BLOCK
            if length:
                self.part = (note.file, length)

    def _placed(self, files: Iterable[Entry]) -> frozenset[int]:
        """Those that have their names below the tree. Entries of one folder mostly stand together."""
        found: set[int] = set()
        for parents, group in groupby(files, lambda entry: entry.path[:-1]):
            with suppress(FileNotFoundError), placing.folder(self._stage, [_TREE, *parents]) as folder:
                found.update(entry.index for entry in group if placing.size((folder, entry.path[-1])) == entry.size)
        return frozenset(found)

    def _require_room(self) -> None:
        # The part counts whole: its unverified end is cut off, which makes the same room again.
        there = sum(self._entries[index].size or 0 for index in self.whole) + (placing.size(self._now_place()) or 0)
        system = os.fstatvfs(self._root)
        free, needed = system.f_bavail * system.f_frsize, (self._plan.total or 0) - there
        if needed > free:
            message = f"not enough room: {amount(needed)} are needed and {amount(free)} are free"
            raise StorageError(Reason.DISK_FULL, message, "Make room, or receive into another directory.")

    # The file under way

    def _now_place(self) -> tuple[int, str]:
        return (self._root, self._part) if self._plan.single else (self._stage, _NOW)

    def _begin(self, index: int) -> None:
        """Have the file under way open; another file's leftover is emptied."""
        if self._now_index == index:
            return
        self._end()
        place = self._now_place()
        entry = self._entries[index]
        held = self.part[1] if index == self.part[0] else 0
        self.part = (-1, 0)
        if not held:
            placing.remove(place)
        self._now = os.open(place[1], _NEW, _mode(entry), dir_fd=place[0])
        self._now_index = index
        # What lies above the last verified byte is of no use, and on a full disk it is in the way.
        os.ftruncate(self._now, held)

    def _end(self) -> None:
        if self._now >= 0:
            os.close(self._now)
        self._now = self._now_index = -1

    # Placing

    def _complete_tree(self) -> None:
        """Empty folders, links that stay inside, and the folders' times, deepest first."""
        folders = [entry for entry in self._plan.entries if entry.type is EntryType.DIRECTORY]
        for entry in folders:
            with placing.folder(self._stage, [_TREE, *entry.path], create=True):
                pass
        for entry in self._plan.entries:
            if entry.type is EntryType.SYMLINK and entry.target:
                self._link(entry)
        for entry in sorted(folders, key=lambda entry: -len(entry.path)):
            with placing.folder(self._stage, [_TREE, *entry.path]) as folder:
                os.utime(folder, ns=(entry.mtime_ns, entry.mtime_ns))
        if self._durable:
            placing.sync_many(self._stage, [])

    def _require_whole(self) -> None:
        """Whoever tidies up may have deleted what has no final name yet."""
        files = [entry for entry in self._entries if entry.type is EntryType.FILE]
        if not (placing.exists(self._now_place()) if self._plan.single else len(self._placed(files)) == len(files)):
            what = f"cannot write {printable(self._plan.name)}: somebody has deleted what was received"
            raise StorageError(Reason.DISK_FAILED, what, "Receive it again, and leave its .part alone until then.")

    def _link(self, entry: Entry) -> None:
        with placing.folder(self._stage, [_TREE, *entry.path[:-1]], create=True) as folder, suppress(FileExistsError):
            os.symlink(entry.target, entry.path[-1], dir_fd=folder)

    def _move(self, source: tuple[int, str], name: str) -> None:
        if not placing.exists(source):
            return  # an earlier run was stopped behind this step
        if not self._overwrite:
            placing.move_without_replacing(source, (self._root, name))
        else:
            placing.merge(source, (self._root, name))

    # Notes

    def _note(self) -> Note:
        assert self._journal is not None and self._journal.note is not None  # noqa: S101 - open() has seen to it
        return self._journal.note

    def _write_note(self, note: Note, *, sync: bool = False) -> None:
        assert self._journal is not None  # noqa: S101 - open() has seen to it
        self._journal.write(note, sync=sync)

    def _fsync(self, descriptor: int) -> None:
        if self._durable:
            os.fsync(descriptor)

    def _sync_data(self, descriptor: int) -> None:
        if self._durable:
            placing.sync_data(descriptor)

    @contextmanager
    def _telling(self, index: int) -> Generator[None]:
        """Turn what the system says into a StorageError that names the file, or the whole."""
        path = self._entries[index].path if index >= 0 else (self._plan.name,)
        try:
            yield
        except OSError as error:
            raise StorageError.of(error, f"cannot write {printable('/'.join(path))}") from None


def _new(index: int) -> str:
    return f"new-{index}"


def _mode(entry: Entry) -> int:
    """Before the user's umask."""
    return 0o777 if entry.executable else 0o666


def _beside(name: str, suffix: str) -> str:
    """A name with a suffix, in the 255 bytes that a name may have, with room for the journal's own suffix."""
    if len(os.fsencode(name + suffix + _JOURNAL)) <= MAX_NAME:
        return name + suffix
    short = os.fsencode(name)[: MAX_NAME - 64].decode(errors="ignore")
    return f"{short}~{blake3(os.fsencode(name)).hexdigest(8)}{suffix}"


def _journal_name(part: str) -> str:
    return part + _JOURNAL
