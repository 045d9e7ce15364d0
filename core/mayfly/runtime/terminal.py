"""Foreign text on a terminal: what could move the cursor, hide, or reorder is written out instead of sent."""

from __future__ import annotations

import unicodedata

_ESCAPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls (C0, DEL, C1), format characters (bidi overrides and isolates, zero-width ones, tags), surrogates, private
use, unassigned, and the two separators that some terminals take for line ends."""

_BLANK_OR_JOINING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that Unicode calls default-ignorable, or that show nothing, though their category is harmless."""

_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"}


def printable(text: str) -> str:
    """Text that is safe to print and whose escapes cannot be mistaken for it: a backslash becomes two.

    The result is one line of visible characters and plain spaces; variation selectors and other blanks are escaped too.
    """
    return "".join(character if _is_plain(character) else _escape(character) for character in text)


def _is_plain(character: str) -> bool:
    if " " <= character <= "~":
        return character != "\\"
    return not (
        unicodedata.category(character) in _ESCAPED
        or unicodedata.category(character) == "Zs"
        or character in _BLANK_OR_JOINING
        or _is_variation_selector(character)
    )


def _is_variation_selector(character: str) -> bool:
    return (
        "\u180b" <= character <= "\u180f"
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


def _escape(character: str) -> str:
    number = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
