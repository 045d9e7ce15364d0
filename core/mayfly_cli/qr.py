"""A QR code on a terminal, two modules to a character cell."""

from __future__ import annotations

import segno
from rich.style import Style
from rich.text import Text

BORDER = 2
"""Light modules around it. ISO/IEC 18004 asks for 4; readers are content with 2, which saves 4 columns."""

# Both colours are set, so it reads the same on a light and on a dark terminal. Without colours, light modules are the
# drawn ones, which suits a dark terminal; readers take the inverse too.
_STYLE = Style(color="#ffffff", bgcolor="#000000")
_CELLS = {(True, True): " ", (True, False): "\u2584", (False, True): "\u2580", (False, False): "\u2588"}


def render(text: str, columns: int) -> Text | None:
    """The lines of the QR code of a text, None where the terminal is too narrow.

    An upper-case text of letters and digits takes QR's alphanumeric mode, 5.5 bits a character.
    """
    rows = [tuple(map(bool, row)) for row in segno.make(text, error="l", micro=False).matrix_iter(border=BORDER)]
    width = len(rows[0])
    if width > columns:
        return None
    if len(rows) % 2:
        rows.append((False,) * width)
    picture = Text(no_wrap=True, end="")
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        picture.append("".join(_CELLS[pair] for pair in zip(upper, lower, strict=True)), _STYLE)
        picture.append("\n")
    return picture
