"""THIRD_PARTY.md lists what is installed, under licences that it has judged."""

from __future__ import annotations

from importlib.metadata import Distribution
from os import PathLike
from pathlib import Path

import pytest

from release.needed import USERS, needed
from release.third_party import ACCEPTED, PAGE, READ_BY_HAND, licence, page, parts


def test_the_page_is_current() -> None:
    old = PAGE.read_text()
    assert page(old) == old, "make licences"


def test_every_licence_was_judged() -> None:
    found = {name: licence(name, package) for name, package in needed(USERS).items()}
    unknown = {name: said for name, said in found.items() if not parts(said) <= ACCEPTED}
    assert not unknown, "judge them in THIRD_PARTY.md, then accept them in release/third_party.py"
    judged = PAGE.read_text().partition("## Packages")[0]
    assert [name for name in sorted(ACCEPTED) if name not in judged] == []
    assert set.union(*map(parts, found.values())) == ACCEPTED, "some are accepted for nobody"


def test_what_was_read_by_hand_is_still_needed() -> None:
    assert set(READ_BY_HAND) <= set(needed(USERS))


class Package(Distribution):
    """One with that metadata."""

    def __init__(self, *lines: str) -> None:
        self._text = "\n".join(("Metadata-Version: 2.4", "Name: x", "Version: 1", *lines))

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: str | PathLike[str]) -> Path:
        return Path(path)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("License-Expression: Apache-2.0 OR BSD-3-Clause", "Apache-2.0 OR BSD-3-Clause"),
        ("License: MIT License", "MIT"),
        ("Classifier: License :: OSI Approved :: MIT License", "MIT"),
        ("License: Do what you want", "Do what you want"),
        ("Summary: nothing is said", ""),
    ],
)
def test_where_a_licence_stands(line: str, expected: str) -> None:
    assert licence("x", Package(line)) == expected


def test_the_parts_of_an_expression() -> None:
    assert parts("(MIT OR Apache-2.0) AND ISC") == {"MIT", "Apache-2.0", "ISC"}


def test_only_the_table_is_made_anew() -> None:
    old = "before\n\n| package | licence |\n|---|---|\n| gone | MIT |\n\nafter\n"
    new = page(old)
    assert new.startswith("before\n\n| package | licence |\n|---|---|\n| aio")
    assert new.endswith(" |\n\nafter\n")
    assert "gone" not in new
