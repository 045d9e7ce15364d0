"""core/ARCHITECTURE.md follows a byte, a chunk and a line through the code: each call named is in a file of its row."""

from __future__ import annotations

import re

import pytest

from support.documents import read, rows, section
from support.programs import ROOT

WALKS = ("## The walk of a byte", "## The walk of a file's chunk", "## The walk of a line of chat")


def calls(heading: str) -> list[tuple[list[str], str]]:
    """The files and the name of each call in the tables of a section."""
    found: list[tuple[list[str], str]] = []
    for cells in rows(section(read("core/ARCHITECTURE.md"), heading)):
        files = re.findall(r"`([\w/]+\.py)`", " ".join(cells))
        found += [(files, name) for name in re.findall(r"`(\w+)\(\)`", " ".join(cells))]
    return found


@pytest.mark.parametrize("heading", WALKS)
def test_every_call_of_a_walk_is_defined_where_the_page_says(heading: str) -> None:
    named = calls(heading)
    assert len(named) >= 8
    for files, name in named:
        text = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in files)
        assert re.search(rf"\bdef {name}\(", text), f"none of {files} has {name}()"


def test_every_row_of_a_walk_names_its_files() -> None:
    for heading in WALKS:
        for cells in rows(section(read("core/ARCHITECTURE.md"), heading)):
            assert re.search(r"`\w[\w/]+\.py`", cells[1]), cells[0]
