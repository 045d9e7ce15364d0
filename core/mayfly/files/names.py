"""Names that a peer chose, made harmless, or refused.

`safe_name` judges one component of a path, `Namespace` keeps the names of one directory apart. What comes out can be
given to `open` below a directory of ours on any common file system: it names exactly one thing in that directory.

Changed: separators of other systems, drive letters, control characters, bidirectional and other invisible
characters, names that Windows reserves, dots and spaces at the end, names that are too long, and names that a
case-insensitive or normalising file system takes for one that is there. Refused: what could only be meant as a path,
namely an empty name, `.`, `..`, and names with `/` or NUL.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mayfly.characters import FILLERS, is_variation_selector

MAX_NAME: Final = 255
"""Bytes of a name as UTF-8, on every common file system."""

PART_SUFFIXES: Final = (".part", ".part.json")
"""What stands beside a file while it is being received."""

ROOM: Final = max(map(len, PART_SUFFIXES))
"""Bytes of MAX_NAME that `Namespace` keeps free for them."""


class Change(Enum):
    """Why a name was changed. The value is for people."""

    SEPARATOR = "it held a path separator of another system"
    DRIVE = "it began with a drive letter"
    INVISIBLE = "it held control, bidirectional or invisible characters"
    TAIL = "it ended with a dot or a space"
    RESERVED = "Windows reserves it"
    TOO_LONG = "it was too long"
    COLLISION = "it could not be told from another name by case or Unicode normalisation"


class UnsafeNameError(ValueError):
    """A name that is refused. The message says why, and holds nothing of the name."""


@dataclass(frozen=True, slots=True)
class SafeName:
    """A name to use, and the reasons why it is not the one that was asked for."""

    name: str
    changes: tuple[Change, ...] = ()


_ORDINARY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .-]{0,150}[A-Za-z0-9_-]")
_DRIVE = re.compile(r"([A-Za-z]):")
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:[.:].*)?", re.IGNORECASE | re.DOTALL
)
_JOINERS = frozenset("\u200c\u200d")
"""Invisible, but emoji and several scripts need them. Names that differ by them alone collide."""
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_MAX_EXTENSION = 24


def safe_name(name: str, room: int = 0) -> SafeName:
    """One component of a path. `room` bytes of MAX_NAME stay free, for a suffix. Raises UnsafeNameError."""
    if _ORDINARY.fullmatch(name) and not _RESERVED.fullmatch(name) and room < 100:
        return SafeName(name)
    if not name:
        raise UnsafeNameError("a name is empty")
    if name in (".", ".."):
        raise UnsafeNameError("a name means a directory above")
    if "/" in name or "\0" in name:
        raise UnsafeNameError("a name holds a path separator or NUL")
    changes: list[Change] = []
    for change, changed in (
        (Change.DRIVE, _without_drive),
        (Change.SEPARATOR, _without_separators),
        (Change.INVISIBLE, _without_invisible),
        (Change.TAIL, _without_tail),
        (Change.RESERVED, _without_reserved),
    ):
        before, name = name, changed(name)
        if name != before:
            changes.append(change)
    if len(name.encode()) > MAX_NAME - room:
        name = shortened(name, MAX_NAME - room)
        changes.append(Change.TOO_LONG)
    return SafeName(name, tuple(changes))


def _without_drive(name: str) -> str:
    return _DRIVE.sub(r"\1_", name, count=1) if _DRIVE.match(name) else name


def _without_separators(name: str) -> str:
    return name.replace("\\", "_")


def _without_invisible(name: str) -> str:
    return "".join("_" if _invisible(char) else char for char in name)


def _invisible(char: str) -> bool:
    if char in FILLERS:
        return True
    return unicodedata.category(char) in _INVISIBLE_CATEGORIES and char not in _JOINERS


def _without_tail(name: str) -> str:
    stripped = name.rstrip(". ")
    return name if stripped == name else stripped + "_"


def _without_reserved(name: str) -> str:
    return "_" + name if _RESERVED.fullmatch(name) else name


def shortened(name: str, limit: int, suffix: str = "") -> str:
    """`name` with `suffix` before its extension, in at most `limit` bytes; the stem gives way."""
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > _MAX_EXTENSION:
        stem, dot, extension = name, "", ""
    tail = suffix + dot + extension
    stem = stem.encode()[: limit - len(tail.encode())].decode(errors="ignore")
    return stem + tail if tail else _without_tail(stem)


def collision_key(name: str) -> str:
    """Equal for names that a case-insensitive or normalising file system, or an eye, takes for one.

    Unicode's canonical caseless match (The Unicode Standard 3.13, D145), without what is invisible.
    """
    if name.isascii():
        return name.lower()
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    return "".join(char for char in folded if not _ignorable(char))


def _ignorable(char: str) -> bool:
    return char in _JOINERS or is_variation_selector(char) or _invisible(char)


class Namespace:
    """The names in one directory. Each costs about 150 bytes and its own length."""

    __slots__ = ("_counts", "_keys")

    def __init__(self) -> None:
        self._keys: set[str] = set()
        self._counts: dict[str, int] | None = None

    def claim(self, name: str) -> SafeName:
        """A safe name that nothing else in the directory has, nor its part. Raises UnsafeNameError.

        The second of two that collide is renamed: `a.txt`, `A-2.txt`. The same names in the same order always give
        the same result.
        """
        safe = safe_name(name, ROOM)
        key = collision_key(safe.name)
        if self._free(key):
            self._keys.add(key)
            return safe
        if self._counts is None:
            self._counts = {}
        number = self._counts.get(key, 1)
        while True:
            number += 1
            candidate = shortened(safe.name, MAX_NAME - ROOM, f"-{number}")
            found = collision_key(candidate)
            if self._free(found):
                break
        self._counts[key] = number
        self._keys.add(found)
        return SafeName(candidate, (*safe.changes, Change.COLLISION))

    def _free(self, key: str) -> bool:
        keys = self._keys
        if key in keys:
            return False
        for suffix in PART_SUFFIXES:
            if key + suffix in keys or (key.endswith(suffix) and key.removesuffix(suffix) in keys):
                return False
        return True


def safe_target(target: str, path: tuple[str, ...]) -> str:
    """The target of the link at `path`. Raises UnsafeNameError where it could leave the transfer's top directory.

    `..` may only stand at its beginning: behind a name, which may itself be a link, it cannot be judged by reading.
    """
    if target.startswith("/") or "\\" in target or _DRIVE.match(target):
        raise UnsafeNameError("its target is an absolute path")
    if "\0" in target or _without_invisible(target) != target:
        raise UnsafeNameError("its target holds control or invisible characters")
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = 0
    while ups < len(parts) and parts[ups] == "..":
        ups += 1
    if ".." in parts[ups:] or ups > max(len(path) - 2, 0):
        raise UnsafeNameError("its target may lie outside of what is sent")
    return target
