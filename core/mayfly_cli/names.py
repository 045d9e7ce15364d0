"""A peer's name on the screen: shown so that it cannot pass for another name, for us, or for what surrounds it."""

from __future__ import annotations

import re
import unicodedata

from mayfly.runtime.terminal import escaped, printable

RESERVED = frozenset({"you", "everybody", "the relay", "the other side", "mayfly"})
"""Words that the program itself uses where a name could stand."""

_NAMELESS = re.compile(r"(relay|client|peer) \d+")
"""What a program calls whoever has said no name; names in the chat hold no spaces."""

_TWINS = frozenset("авеёнкмгорстухьѕіїјԁԛԝѵһοαεικνυρτχβηγωϲϳ")
"""Small Greek and Cyrillic letters that look like Latin ones, or whose capitals do."""


def called(label: str) -> str:
    """What a program calls somebody, safe to print: a name as `shown`, or the plain words for who has none."""
    nameless = _NAMELESS.fullmatch(label)
    if nameless is None:
        return shown(label)
    return "the other side" if nameless[1] == "peer" else label


def shown(name: str) -> str:
    """The name, safe to print.

    A plain one stands as it is; one with spaces or signs in it stands in quotes, as does a reserved word. Letters
    that can be taken for Latin ones are written as escapes, where scripts are mixed or nothing else tells them apart.
    """
    composed = unicodedata.normalize("NFKC", name)
    letters = [character for character in composed if character.isalpha()]
    scripts = {_script(character) for character in letters}
    foreign = "LATIN" in scripts and len(scripts) > 1
    twins = bool(letters) and all(character.lower() in _TWINS for character in letters)
    text = "".join(
        escaped(character)
        if (not character.isascii() and ((foreign and character.isalpha()) or twins)) or _is_mark(character)
        else printable(character)
        for character in composed
    )
    plain = text and all(character.isalnum() or character in "-_." for character in text)
    return text if plain and text.lower() not in RESERVED else '"' + text.replace('"', "\\x22") + '"'


def _script(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").partition(" ")[0]


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
