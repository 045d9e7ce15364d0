"""Names that are safe to print on one line, and that nobody can mistake for another one in the same room.

A peer's name is data: whatever it is, something fit to be shown comes out. Two names that look alike (Unicode TR 39's
idea of a skeleton, with a short table of our own) count as the same, and the later one gets a number. A name that mixes
scripts which are not written together (TR 39's "highly restrictive" level) is marked.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from mayfly.characters import BLANK, UNPRINTABLE, is_variation_selector
from mayfly.chat.records import MAX_NAME

MARK: Final = "(mixed)"
"""Stands behind a name that mixes scripts."""

NAMELESS: Final = "guest"
"""Who gave no name of which anything is left."""

RESERVED: Final = ("you", "me", "room", "all", "everyone", "system", "mayfly")
"""Words that a program may print where a name stands. Whoever asks for one gets a number."""

REPLACEMENT: Final = "\ufffd"

_MAX_SAFE: Final = MAX_NAME - 6
"""Leaves room for "-99999"."""

_MAX_MARKS: Final = 3
"""Combining marks on one letter: as many as any living orthography uses."""

_TOGETHER: Final = (
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "HANGUL"}),
)
_COMMON: Final = frozenset({"MODIFIER", "KATAKANA-HIRAGANA", "FEMININE", "MASCULINE", ""})

_LATIN_BASE: Final = re.compile(r"LATIN (?:SMALL |CAPITAL |LETTER )*(?:DOTLESS |SCRIPT |LONG )?([A-Z])(?: WITH .*)?$")

_LOOKS_LIKE: Final = {
    **dict(zip("авсԁеһіјкӏмнорԛѕтухѵԝзгпьбҽүꙅ", "abcdehijklmhopqstyxvw3rnb6eys", strict=True)),
    **dict(zip("αβγεζηικνορσςτυχωϲϳδ", "abyezniknopoctuxwcjd", strict=True)),
    **dict(zip("աոսօհցզյտքգեւ", "anuohgqjmpqtl", strict=True)),
    **dict(zip("01|!$@", "olllsa", strict=True)),
    "ø": "o", "đ": "d", "ł": "l", "ħ": "h", "\u0131": "i", "ß": "ss", "æ": "ae", "œ": "oe",
}  # fmt: skip


def safe_name(text: str) -> str:
    """`text` as a name: visible characters only, no spaces, at most 58 characters, never empty.

    Controls, bidirectional and zero-width characters become U+FFFD, spaces become "-". A second time changes nothing.
    """
    name, before = text[: 4 * MAX_NAME], ""
    while name != before:
        before, name = name, _cleaned(name)
    name = name[:_MAX_SAFE]
    if MARK not in name and mixes_scripts(name):
        name = name[: _MAX_SAFE - len(MARK)] + MARK
    return name or NAMELESS


def mixes_scripts(name: str) -> bool:
    """Whether letters of scripts stand together that no language writes together."""
    scripts = {_script(character) for character in name if unicodedata.category(character)[0] == "L"} - _COMMON
    return len(scripts) > 1 and not any(scripts <= allowed for allowed in _TOGETHER)


def skeleton(name: str) -> str:
    """What a name looks like: names with one skeleton cannot be told apart reliably by a reader."""
    bare = _without_marks(unicodedata.normalize("NFKD", name)).casefold()
    looks = "".join(map(_look, _without_marks(unicodedata.normalize("NFKD", bare))))
    return looks.replace("rn", "m").replace("vv", "w").replace("i", "l")


class NameBook:
    """The names in use in one room."""

    def __init__(self) -> None:
        self._taken = set(map(skeleton, RESERVED))

    def claim(self, wanted: str) -> str:
        """A safe name that no other is like: `wanted` as far as possible, with "-2", "-3", … behind it where taken."""
        base = safe_name(wanted)
        name, number = base, 1
        while (look := skeleton(name)) in self._taken:
            number += 1
            name = f"{base}-{number}"
        self._taken.add(look)
        return name

    def release(self, name: str) -> None:
        """Give up a claimed name."""
        self._taken.discard(skeleton(name))


def _cleaned(text: str) -> str:
    visible: list[str] = []
    marks = _MAX_MARKS
    for character in unicodedata.normalize("NFKC", text):
        kind = unicodedata.category(character)
        if is_variation_selector(character):
            continue
        if kind == "Zs" or character in "\t\n\r":
            marks = _MAX_MARKS
            character = "-"  # noqa: PLW2901 - what stands for it from here on
        elif kind in UNPRINTABLE or character in BLANK:
            marks = _MAX_MARKS
            character = REPLACEMENT  # noqa: PLW2901
        elif kind[0] == "M":
            marks += 1
            if marks > _MAX_MARKS:
                continue
        else:
            marks = 0 if kind[0] in "LN" else _MAX_MARKS
        if character in (REPLACEMENT, "-") and visible and visible[-1] == character:
            continue
        visible.append(character)
    return "".join(visible).strip("-")


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _without_marks(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character)[0] != "M")


def _look(character: str) -> str:
    if character in _LOOKS_LIKE:
        return _LOOKS_LIKE[character]
    latin = _LATIN_BASE.match(unicodedata.name(character, "")) if character > "~" else None
    return latin[1].lower() if latin else character
