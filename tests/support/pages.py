"""The fenced blocks of our Markdown pages, and what those hold that people type.

A block ```console is what a terminal shows: `$ ` stands before a command, `> ` before what is typed into a running
program, `^C` is that key, and all else is what the programs say. A word behind `console` says at whose terminal; blocks
of one section with one word are one terminal. What differs from run to run is written as an example: a code `mf1…`, a
short code, an onion address. Typed, it stands for what another terminal has shown; said, for any such thing. `…` is
whatever comes there, `#` begins a remark.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import Enum
from functools import cache

from support.programs import ROOT

_NOT_OURS = ("build", "dist")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part in _NOT_OURS for part in path.relative_to(ROOT).parts)
)
"""All of them."""

CODE = "mf1…"
EXAMPLES = {
    CODE: r'mf1[0-9a-z]{60,}(?=[\s"])',
    "7-copper-tulip": r"\b\d+-[a-z]+-[a-z]+\b",
    "kwtybtegmfc7imdr3fdfn6po63pjceyslfgbr4tbyqwr3s3pqwsvw6yd.onion": r"\b[a-z2-7]{56}\.onion\b",
    "squirrel juice helmet banana whisper": r"(?:[a-z]+ ){4}[a-z]+",
}
"""What pages write for what differs from run to run, and what it looks like."""


class Kind(Enum):
    """What a line of a console block is."""

    COMMAND = "$ "
    TYPED = "> "
    INTERRUPT = "^C"
    SAID = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a console block."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block, and where it stands."""

    page: str
    section: str
    language: str
    where: str
    """The word behind the language: at whose terminal."""
    text: str

    @property
    def lines(self) -> list[Line]:
        """Of a console block, where a command goes on if its line ends with a backslash; a script is all commands."""
        if self.language == "sh":
            return [Line(Kind.COMMAND, text) for text in self.text.splitlines()]
        found: list[Line] = []
        for text in self.text.replace("\\\n", "").splitlines():
            kind = next(kind for kind in Kind if text.startswith(kind.value))
            found.append(Line(kind, text.removeprefix(kind.value)))
        return found

    @property
    def commands(self) -> list[str]:
        """What a shell is given."""
        if self.language not in ("console", "sh"):
            return []
        return [line.text for line in self.lines if line.kind is Kind.COMMAND]


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """All of a page, in its order."""
    section, found = "", list[Block]()
    fence = re.compile(r"^(?P<indent> *)```(?P<info>.*)\n(?P<text>(?:.*\n)*?) *```$|^#+ (?P<heading>.*)$", re.MULTILINE)
    for match in fence.finditer((ROOT / page).read_text(encoding="utf-8")):
        if match["heading"] is not None:
            section = match["heading"]
            continue
        language, _, where = match["info"].partition(" ")
        text = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        found.append(Block(page, section, language, where.strip(), text))
    return tuple(found)


def every_block() -> list[Block]:
    """Of all pages."""
    return [block for page in PAGES for block in blocks(page)]


def sections(page: str) -> dict[str, list[Block]]:
    """The console and sh blocks of a page by section."""
    found: dict[str, list[Block]] = {}
    for block in blocks(page):
        if block.language in ("console", "sh"):
            found.setdefault(block.section, []).append(block)
    return found


def the_block(page: str, language: str) -> str:
    """The text of the one block of that language in a page."""
    (block,) = [each for each in blocks(page) if each.language == language]
    return block.text


def argv_of(page: str, command: str) -> list[str]:
    """The arguments of a mayfly command that a page shows, for a test that runs it. Raises ValueError if none does."""
    if not any(command in block.commands for block in blocks(page)):
        raise ValueError(f"{page} does not show `{command}`")
    return shlex.split(command)[1:]


_EXAMPLE = "|".join(map(re.escape, EXAMPLES))
_PIECE = re.compile(rf"(?P<example>{_EXAMPLE})|(?P<any>…)|(?P<number>(?<!\w)\d+(?:\.\d+)*)|(?P<space>\s+)|(?P<other>.)")
_LOOKS = {"any": ".*", "number": r"\d+(?:\.\d+)*", "space": r"\s+"}


def said(text: str) -> re.Pattern[str]:
    """What a line that a page shows looks like in some run: whole, but for its numbers and examples."""

    def looks(piece: re.Match[str]) -> str:
        return EXAMPLES.get(piece[0]) or _LOOKS.get(str(piece.lastgroup)) or re.escape(piece[0])

    return re.compile(rf"^\s*{''.join(map(looks, _PIECE.finditer(text.strip())))}\s*$", re.MULTILINE)


def filled_in(text: str, own: str, others: list[str]) -> str | None:
    """A typed line, its examples replaced by what others have shown first and we have not. None: not yet."""
    for example, looks in EXAMPLES.items():
        if example in text:
            seen = [found[0] for screen in others for found in re.finditer(looks, screen) if found[0] not in own]
            if not seen:
                return None
            text = text.replace(example, seen[0])
    return text
