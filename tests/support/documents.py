"""The project's pages as tests read them: sections, tables, and the sources that they speak of."""

from __future__ import annotations

import re

from support.programs import ROOT

SOURCES = [path for folder in ("core", "relay", "client", "broker_optional") for path in (ROOT / folder).rglob("*.py")]
"""Every file of the product's code."""


def read(name: str) -> str:
    """A document of the tree."""
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or a higher one."""
    level = len(heading) - len(heading.lstrip("#"))
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {heading!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of all table rows, headings and rules left out."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    split = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = {number for number, cells in enumerate(split) if all(re.fullmatch(":?-+:?", cell) for cell in cells)}
    heads = {number - 1 for number in rules}
    return [cells for number, cells in enumerate(split) if number not in rules | heads]


def plain(cell: str) -> str:
    """A cell without its backticks."""
    return cell.strip("`")


def numbered(heading: str) -> dict[str, int]:
    """The rows of the table under a heading of core/PROTOCOL.md that begin with a number and a name."""
    found = [(cells[0], cells[1]) for cells in rows(section(read("core/PROTOCOL.md"), heading))]
    return {plain(name): int(number, 0) for number, name in found if re.fullmatch(r"0x[0-9a-f]+|\d+", number)}
