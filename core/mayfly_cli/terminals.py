"""Whether there is a person at standard input and output, or a program or a file."""

from __future__ import annotations

import sys
from typing import TextIO


def can_ask() -> bool:
    """Whether a person types at standard input."""
    return _is_terminal(sys.stdin)


def can_show() -> bool:
    """Whether a person reads standard output."""
    return _is_terminal(sys.stdout)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()
