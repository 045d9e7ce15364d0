"""The other side's codes from standard input: pasted at a prompt, over several lines perhaps, or one a line.

Standard input is read by a thread that polls it. The event loop must not: uvloop would make the terminal non-blocking
for every program that shares it, this one's output and the shell included, and epoll refuses regular files.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import termios
import threading
from collections import deque
from collections.abc import Callable

from mayfly.signaling.description import Kind

CHUNK = 64 * 1024
MAX_LINE = 64 * 1024
"""Bytes of a line that are kept; the rest is read and dropped."""

MAX_PASTE = 200
"""Lines in which a code is looked for; of a longer paste, the last ones."""

QUIET = 0.4
"""Seconds without a further line after which a paste is taken to be over."""


class Lines:
    """The lines of a file descriptor. At most one chunk and one line are held."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines: deque[str] = deque()
        self._partial = bytearray()
        self._ended = False
        self._news = asyncio.Event()
        self._wanted = threading.Event()
        self._closing = False
        self._wake: tuple[int, int] | None = None
        self._thread: threading.Thread | None = None

    async def next(self) -> str:
        """The next line, without its end; the last one may lack it. Raises EOFError. Cancelling it loses nothing."""
        while not self._lines:
            if self._ended:
                raise EOFError
            self._news.clear()
            self._ask()
            await self._news.wait()
        return self._lines.popleft()

    async def filled(self) -> str:
        """The next line that is not blank. Raises EOFError. Cancelling it loses nothing."""
        while not (line := await self.next()).strip():
            pass
        return line

    def forget_typed(self) -> None:
        """Drop what was typed at a terminal and not read yet. Does nothing where no terminal is read."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self._fd, termios.TCIFLUSH)
            self._lines.clear()
            self._partial.clear()

    def close(self) -> None:
        """Stop reading. What the terminal holds that we have not read stays there for the next program."""
        self._closing = True
        if self._thread is not None and self._wake is not None:
            os.write(self._wake[1], b"x")
            self._wanted.set()
            self._thread.join()
            os.close(self._wake[0])
            os.close(self._wake[1])
            self._thread = self._wake = None

    def _ask(self) -> None:
        self._wanted.set()
        if self._thread is None:
            self._wake = os.pipe()
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(
                target=self._read, args=(loop, self._wake[0]), name="standard input", daemon=True
            )
            self._thread.start()

    def _read(self, loop: asyncio.AbstractEventLoop, wake: int) -> None:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        poll.register(wake, select.POLLIN)
        data = b"?"
        while data:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing or any(fd == wake for fd, _ in poll.poll()):
                return
            try:
                data = os.read(self._fd, CHUNK)
            except BlockingIOError:
                self._wanted.set()
                continue
            except OSError:
                data = b""  # the terminal is gone
            try:
                loop.call_soon_threadsafe(self._feed, data)
            except RuntimeError:
                return  # the loop has closed

    def _feed(self, data: bytes) -> None:
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._keep(piece)
            self._end_line()
        self._keep(rest)
        if not data:
            self._ended = True
            if self._partial:
                self._end_line()
        self._news.set()

    def _keep(self, piece: bytes) -> None:
        self._partial += piece[: MAX_LINE - len(self._partial)]

    def _end_line(self) -> None:
        self._lines.append(self._partial.decode("utf-8", "replace").rstrip("\r"))
        self._partial.clear()


class LineCodes:
    """A CodeReader for machines: every line that is not blank is a code."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines

    async def read(self, wanted: Kind) -> str:
        """The next one. Raises EOFError."""
        return await self.lines.filled()


class PastedCodes:
    """A CodeReader for people: prompts, and joins lines until they hold a whole code or an empty line comes.

    `whole(text, wanted)` says whether a text holds a whole code of that kind, or of any kind for None.
    """

    def __init__(
        self,
        lines: Lines,
        prompt: Callable[[str], None],
        whole: Callable[[str, Kind | None], bool],
        *,
        quiet: float = QUIET,
    ) -> None:
        self.lines = lines
        self._prompt = prompt
        self._whole = whole
        self._quiet = quiet
        self._pasted: list[str] = []

    async def read(self, wanted: Kind) -> str:
        """What was pasted, whole or given up with an empty line. Raises EOFError."""
        name = "answer" if wanted is Kind.ANSWER else "other side's code"
        self._prompt(f"Paste the {name} here and press Enter:")
        while True:
            if text := await self._paste(wanted):
                return text

    async def ask(self, question: str, wanted: Kind) -> str:
        """As read, with another prompt; an empty line at once gives an empty text."""
        self._prompt(question)
        return await self._paste(wanted)

    async def _paste(self, wanted: Kind) -> str:
        told = False
        while True:
            try:
                line = await self._line(forever=told or not self._pasted)
            except TimeoutError:
                if self._whole(self._text, None):
                    return self._taken()  # of the wrong kind: whoever asked says so
                self._prompt("That is not a whole code yet. Paste the rest, or press Enter to have it judged as it is.")
                told = True
                continue
            except EOFError:
                if self._pasted:
                    return self._taken()
                raise
            if not line.strip():
                return self._taken()
            self._pasted = [*self._pasted, line][-MAX_PASTE:]
            if self._whole(self._text, wanted):
                return self._taken()
            if self._whole(line, wanted):  # pasted again, after a bad copy
                self._pasted = []
                return line

    async def _line(self, *, forever: bool) -> str:
        if forever:
            return await self.lines.next()
        return await asyncio.wait_for(self.lines.next(), self._quiet)

    @property
    def _text(self) -> str:
        return "\n".join(self._pasted)

    def _taken(self) -> str:
        text, self._pasted = self._text, []
        return text
