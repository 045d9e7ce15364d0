"""Characters that show nothing, or that a terminal obeys: one list for whatever shows or compares foreign text."""

from __future__ import annotations

from typing import Final

UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories: controls (C0, DEL, C1), format characters (bidi overrides and isolates, zero-width ones, tags),
surrogates, private use, unassigned, and the two separators that some terminals take for line ends."""

FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that Unicode calls default-ignorable, though their category is harmless."""

BLANK: Final = FILLERS | {"\u2800"}
"""Those, and the braille pattern without dots."""


def is_variation_selector(character: str) -> bool:
    """Whether it only chooses among the forms of the character before it."""
    return (
        "\u180b" <= character <= "\u180f"
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )
