"""Words for what was made safe: the first few by name, escaped, and how many more."""

from __future__ import annotations

from mayfly.config import FilesConfig
from mayfly.files.manifest import Manifest
from mayfly.files.records import Entry, EntryType, Kind, Offer
from mayfly.services.changes import in_words


def manifest(*names: str, link: str = "") -> Manifest:
    """A manifest of empty files with these names, and a link with that target."""
    count = len(names) + bool(link)
    found = Manifest(Offer(b"t" * 16, Kind.MIXED, "things", 0, count), FilesConfig())
    for index, name in enumerate(names):
        found.add(Entry(index, (name,), EntryType.FILE, 0, 0))
    if link:
        found.add(Entry(len(names), ("link",), EntryType.SYMLINK, 0, 0, target=link))
    return found


def test_each_change_is_named() -> None:
    words = in_words(manifest("CON", "fine", link="/etc/passwd"))
    assert words.startswith("To be safe on this computer: CON is called ")
    assert ", because Windows reserves it; the link link is left out: its target is an absolute path." in words
    assert "fine" not in words


def test_a_long_list_is_cut_and_escaped() -> None:
    words = in_words(manifest(*(f"a\x1b{number}" for number in range(9))))
    assert words.count(" is called ") == 5
    assert words.endswith("; and 4 more.")
    assert "a\\x1b0 is called" in words
    assert "\x1b" not in words
