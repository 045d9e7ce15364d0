"""The terminal of whoever types while lines come in: what is typed means the same at every moment.

prompt_toolkit gives the terminal back to its normal, *cooked* mode between two questions, and while a line is printed
above what is typed. What is typed in that instant would be echoed by the kernel in the midst of the screen, Enter would
come as another key, and Ctrl-C as a signal.
"""

from __future__ import annotations

import contextlib
import termios
from collections.abc import Generator
from contextlib import AbstractContextManager

from prompt_toolkit.input.vt100 import Vt100Input

_INPUT, _LOCAL = 0, 3  # places in what termios.tcgetattr gives


class RawTerminal(Vt100Input):
    """A terminal that stays as it is while lines are printed."""

    def cooked_mode(self) -> AbstractContextManager[None]:
        """Called around what is printed above the question."""
        return contextlib.nullcontext()


@contextlib.contextmanager
def uncooked(descriptor: int) -> Generator[None]:
    """No echo, no lines, Enter as it comes; Ctrl-C is a signal, because nobody reads keys. No terminal: nothing."""
    try:
        before = termios.tcgetattr(descriptor)
        held = list(before)
        held[_LOCAL] = before[_LOCAL] & ~(termios.ECHO | termios.ICANON)
        held[_INPUT] = before[_INPUT] & ~termios.ICRNL
        termios.tcsetattr(descriptor, termios.TCSANOW, held)
    except termios.error:
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # the terminal has gone
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
