"""Writing for a reader who may be gone: a closed pipe or a closed terminal ends the output, not the program."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import IO


class Output:
    """Runs writes to one stream until one fails; then drops all further ones and says so, once."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._on_gone: Callable[[], None] | None = None
        self.gone = False

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Call back when the reader turns out to be gone; at once if that is known already."""
        if self.gone:
            callback()
        else:
            self._on_gone = callback

    def write(self, write: Callable[[], object]) -> None:
        """Run something that writes to the stream, and flush it. Never raises for the stream's sake."""
        if self.gone:
            return
        try:
            write()
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the file object is closed
            self.gone = True
            self._silence()
            if self._on_gone is not None:
                self._on_gone()

    def _silence(self) -> None:
        # What is still buffered would raise again when the interpreter ends.
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)
