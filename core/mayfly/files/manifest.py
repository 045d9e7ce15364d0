"""The receiver's list of what is coming: entries within limits, each with a path that is safe to use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mayfly.config import FilesConfig
from mayfly.files.fields import FilesError
from mayfly.files.names import Change, Namespace, SafeName, UnsafeNameError, safe_target
from mayfly.files.records import Entry, EntryType, Kind, Offer, Reason

ENTRY_OVERHEAD = 32
"""What an entry counts for in `max_manifest`, on top of its path and its target."""


class RefusedError(Exception):
    """The manifest is well formed, and cannot be taken for this reason: BAD_NAME or LIMIT."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Renaming:
    """An entry whose path is not the one that the sender gave. Both are foreign text."""

    asked: tuple[str, ...]
    path: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A symbolic link that is not made, and why."""

    path: tuple[str, ...]
    why: str


@dataclass(slots=True)
class _Directory:
    path: tuple[str, ...]
    names: Namespace | None = None
    """None while nothing is in it, which is worth 300 bytes."""

    def claim(self, name: str) -> SafeName:
        """A safe name in it. Raises UnsafeNameError."""
        if self.names is None:
            self.names = Namespace()
        return self.names.claim(name)


class Manifest:
    """Entries by index, in the sender's order: a directory stands before what is in it.

    `entries[i].path` is safe and unlike every other: components to use below the target directory, one after the
    other. A symbolic link that must not be made has an empty target there.
    """

    def __init__(self, offer: Offer, config: FilesConfig) -> None:
        self.offer = offer
        self.entries: list[Entry] = []
        self.total: int | None = 0
        """Bytes of all files; None where one is unknown."""
        self.renamed: list[Renaming] = []
        self.left_out: list[LeftOut] = []
        self.changes = 0
        """How many entries were renamed or left out; the lists hold the first `max_changes`."""
        self._config = config
        self._size = 0
        self._directories: dict[tuple[str, ...], _Directory] = {(): _Directory(())}
        if offer.entries > config.max_entries:
            raise RefusedError(Reason.LIMIT)
        if offer.kind is Kind.TEXT and (offer.total is None or offer.total > config.max_text):
            raise RefusedError(Reason.LIMIT)
        if offer.kind in (Kind.TEXT, Kind.STDIN) and offer.entries != 1:
            raise FilesError("a text or a standard input is one entry")

    def add(self, entry: Entry) -> None:
        """Take the next entry. Raises FilesError where it breaks the rules, RefusedError where it is too much."""
        if entry.index != len(self.entries) or entry.index >= self.offer.entries:
            raise FilesError("an entry is not the next one, or one more than was offered")
        if self.offer.kind is Kind.FILES and entry.type is not EntryType.FILE:
            raise FilesError("something else is among files")
        self._check_sizes(entry)
        parent = self._directories.get(entry.path[:-1])
        if parent is None:
            raise FilesError("an entry's directory is not there")
        try:
            name = parent.claim(entry.path[-1])
        except UnsafeNameError:
            raise RefusedError(Reason.BAD_NAME) from None
        path = (*parent.path, name.name)
        if path != entry.path and sum(len(part.encode()) + 1 for part in path) > self._config.max_path:
            raise RefusedError(Reason.LIMIT)
        if name.changes:
            self._changed(self.renamed, Renaming(entry.path, path, name.changes))
        if entry.type is EntryType.DIRECTORY:
            if entry.path in self._directories:
                raise FilesError("a directory stands in the list twice")
            self._directories[entry.path] = _Directory(path)
        self.entries.append(self._safe(entry, path))
        self._count(entry)

    def finish(self) -> None:
        """There are no more. Raises FilesError where they are not what was offered."""
        if len(self.entries) != self.offer.entries or self.total != self.offer.total:
            raise FilesError("the entries are not what was offered")
        if self.offer.kind in (Kind.TEXT, Kind.STDIN) and self.entries[0].type is not EntryType.FILE:
            raise FilesError("a text or a standard input is a file")
        self._directories.clear()

    def files(self) -> Iterator[int]:
        """The indices of the entries that are files, in order."""
        return (entry.index for entry in self.entries if entry.type is EntryType.FILE)

    def _check_sizes(self, entry: Entry) -> None:
        path = sum(len(part.encode()) + 1 for part in entry.path)
        target = len(entry.target.encode())
        self._size += ENTRY_OVERHEAD + path + target
        config = self._config
        if self._size > config.max_manifest or len(entry.path) > config.max_depth + 1:
            raise RefusedError(Reason.LIMIT)
        if path > config.max_path or target > config.max_path:
            raise RefusedError(Reason.LIMIT)

    def _safe(self, entry: Entry, path: tuple[str, ...]) -> Entry:
        """The entry at its safe path; a link that could lead elsewhere loses its target."""
        if entry.type is not EntryType.SYMLINK:
            return replace(entry, path=path)
        try:
            target = safe_target(entry.target, entry.path)
        except UnsafeNameError as error:
            self._changed(self.left_out, LeftOut(path, str(error)))
            target = ""
        return replace(entry, path=path, target=target)

    def _count(self, entry: Entry) -> None:
        if entry.size is None:
            self.total = None
        elif self.total is not None:
            self.total += entry.size

    def _changed(self, words: list[Renaming] | list[LeftOut], one: Renaming | LeftOut) -> None:
        self.changes += 1
        if len(words) < self._config.max_changes:
            words.append(one)  # type: ignore[arg-type]  # each caller passes its own kind
