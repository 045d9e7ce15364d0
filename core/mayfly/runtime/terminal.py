"""Foreign text on a terminal: what could move the cursor, hide, or reorder is written out instead of sent."""

from __future__ import annotations

import unicodedata

from mayfly.characters import BLANK, UNPRINTABLE, is_variation_selector

_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"}


def printable(text: str) -> str:
    """Text that is safe to print and whose escapes cannot be mistaken for it: a backslash becomes two.

    The result is one line of visible characters and plain spaces; variation selectors and other blanks are escaped too.
    """
    return "".join(character if _is_plain(character) else escaped(character) for character in text)


def _is_plain(character: str) -> bool:
    if " " <= character <= "~":
        return character != "\\"
    return not (
        unicodedata.category(character) in UNPRINTABLE
        or unicodedata.category(character) == "Zs"
        or character in BLANK
        or is_variation_selector(character)
    )


def escaped(character: str) -> str:
    """One character written out, whatever it is."""
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
