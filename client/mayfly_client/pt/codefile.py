"""A file into which people put relays' codes while tor runs, as they are sent: with quote marks, broken into lines."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from mayfly.errors import CodeError, MayflyError
from mayfly.runtime.meeting import Meeting, Met
from mayfly.runtime.tasks import first_of
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.signaling.finding import HRP

MAX_FILE = 64 * 1024
"""Bytes at the end of a file of codes that are looked at."""

POLL = 1.0
"""Seconds between two looks at a file of codes, while a code is waited for, or for an answer to be used."""


AT_ONCE = 4
"""Codes that are answered side by side at most. Each waiting answer costs a few sockets."""


class CodeFile:
    """A RelaySource. Of the codes not used yet, the last that is good is taken.

    One that comes while the answer to another waits is answered as well: its relay may have taken the place of the
    first, or be its next free seat. Whoever of them comes first is taken.
    What stands last and cannot be used is said, once, when it has stood there for two looks: it may be being written.
    """

    def __init__(
        self,
        path: Path,
        meeting: Meeting,
        *,
        waiting: Callable[[], None],
        unusable: Callable[[CodeError], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`waiting` is called when there is no code, before the wait for one; `unusable` with what is wrong with it."""
        self._path = path
        self._meeting = meeting
        self._waiting = waiting
        self._unusable = unusable
        self._clock = clock
        self._used: set[bytes] = set()
        self._newest = b""
        self._standing: frozenset[str] = frozenset()
        self._suspect: str = ""
        self._told: str = ""

    async def next(self) -> Met:
        """Answer the newest code, or wait for one. Raises as `Meeting.reply` does."""
        code = self._find()
        if code is None:
            self._waiting()
            code = await self._come()
        met: list[Met] = []
        await self._answer(code, met, AT_ONCE - 1)
        return met[0]

    async def aclose(self) -> None:
        """There is nothing to free."""

    async def _answer(self, code: Code, met: list[Met], more: int) -> None:
        """Until a relay has come: that of this code, or of one of so many `more` that are put in meanwhile."""
        self._used.add(code.digest)
        self._newest = code.digest
        works = [self._reply(code, met)]
        if more:
            works.append(self._answer_next(met, more - 1))
        await first_of(*works)

    async def _answer_next(self, met: list[Met], more: int) -> None:
        await self._answer(await self._come(self._standing), met, more)

    async def _reply(self, code: Code, met: list[Met]) -> None:
        try:
            met.append(await self._meeting.reply(code.text))
        except MayflyError:
            if code.digest == self._newest:
                raise
            await asyncio.Event().wait()  # what becomes of the newest decides

    async def _come(self, passed: frozenset[str] = frozenset()) -> Code:
        while True:
            await asyncio.sleep(POLL)
            if (code := self._find(passed)) is not None:
                return code

    def _find(self, passed: frozenset[str] = frozenset()) -> Code | None:
        """The last good code that was not used, but for what is `passed`: it stood there when another was taken."""
        try:
            pieces = _pieces(self._read())
        except OSError as error:
            problem = f"It cannot be read: {os.strerror(error.errno or 0)}."
            self._suspected("", CodeError(problem, hint="It must be a file that the user who runs tor can read."))
            return None
        for piece in reversed(pieces):
            if piece in passed:
                continue
            try:
                if parse(piece, wanted=Kind.OFFER, now=None).digest in self._used:
                    continue
                code = parse(piece, wanted=Kind.OFFER, now=self._clock())
            except CodeError as error:
                if piece is pieces[-1]:
                    self._suspected(piece, error)
            else:
                self._standing = frozenset(pieces)
                return code
        return None

    def _suspected(self, piece: str, error: CodeError) -> None:
        found = f"{error.message} {piece}"
        if found == self._suspect and found != self._told:
            self._told = found
            self._unusable(error)
        self._suspect = found

    def _read(self) -> str:
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - MAX_FILE))
                return file.read(MAX_FILE).decode(errors="replace")
        except FileNotFoundError:  # not there yet
            return ""


def _pieces(text: str) -> list[str]:
    """From each line in which a code begins to the next such line."""
    pieces: list[list[str]] = []
    for line in text.strip().splitlines():
        if not pieces or f"{HRP}1" in line.lower():
            pieces.append([])
        pieces[-1].append(line)
    return ["\n".join(lines) for lines in pieces]
