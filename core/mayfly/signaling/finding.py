"""Find codes in whatever a person pasted: a chat message, quoted, broken into lines, with prose around it.

The data alphabet of a code shares most letters with prose, so what follows a code cannot be told from it by looking.
The checksum can: from each `mf1` the text is read on across spaces, line breaks and hyphens, and a code ends at the
first end of a run of letters at which the checksum fits.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mayfly.signaling import bech32m

HRP = "mf"
MAX_TEXT = 65_536
"""Characters of pasted text that are looked at; a longer text is refused."""

MAX_SYMBOLS = 4096
"""Data characters in one code of any version, its checksum included. Version 1 stays below 2,500."""

_LOOKS_LIKE_A_CODE = 16
# Zero width characters and marks of direction, which chat programs put in and nobody sees, and the soft hyphen.
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
_CLEAN = {ord(character): None for character in _INVISIBLE} | {
    upper: upper + 32  # ASCII alone: str.lower() would make k of the Kelvin sign
    for upper in range(ord("A"), ord("Z") + 1)
}
_QUOTE_MARKS = " \t>|\u00a0"
_SPACE = r"[\s\-\u2010-\u2015\u2212]"
_START = re.compile(rf"m{_SPACE}{{0,4}}f{_SPACE}{{0,4}}1")
_RUN = re.compile(rf"([{bech32m.ALPHABET}]+)|{_SPACE}+")
_GLUED = re.compile(r"[a-z0-9]")


class Found(NamedTuple):
    """The 5-bit values of each intact code, in order, and the longest data of something that began like a code and
    is none (0 when there is nothing of the kind), in characters."""

    codes: list[list[int]]
    damaged: int


def find(text: str) -> Found:
    """Look through a text of at most MAX_TEXT characters, in time that grows with its length alone."""
    lines = text.translate(_CLEAN).splitlines()
    cleaned = "\n".join(line.lstrip(_QUOTE_MARKS) for line in lines)
    codes: list[list[int]] = []
    damaged = 0
    for start in _START.finditer(cleaned):
        symbols, length = _read(cleaned, start.end())
        if symbols is not None:
            codes.append(symbols)
        elif length >= _LOOKS_LIKE_A_CODE:
            damaged = max(damaged, length)
    return Found(codes, damaged)


def _read(text: str, position: int) -> tuple[list[int] | None, int]:
    """The data of the code whose prefix ends at `position`, or None; and how many data characters were seen."""
    checksum = bech32m.Checksum(HRP)
    symbols: list[int] = []
    while run := _RUN.match(text, position):
        position = run.end()
        if not run[1]:
            continue
        more = bech32m.values(run[1])
        symbols += more
        checksum.feed(more)
        ends = not _GLUED.match(text, position)
        if ends and checksum.fits and bech32m.CHECKSUM_LENGTH < len(symbols) <= MAX_SYMBOLS:
            return symbols[: -bech32m.CHECKSUM_LENGTH], len(symbols)
    return None, len(symbols)
