"""A file into which people put relays' codes while tor runs, as they are sent: with quote marks, broken into lines."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from mayfly.errors import CodeError
from mayfly.runtime.meeting import Meeting, Met
from mayfly.runtime.tasks import first_of
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.signaling.finding import HRP

MAX_FILE = 64 * 1024
"""Bytes at the end of a file of codes that are looked at."""

POLL = 1.0
"""Seconds between two looks at a file of codes, while a code is waited for, or for an answer to be used."""


class CodeFile:
    """A RelaySource. Of the codes not used yet, the last that is good is taken.

    One that comes while the answer to another is waited for takes its place: whoever sent it has given up the first.
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
        self._suspect: str = ""
        self._told: str = ""

    async def next(self) -> Met:
        """Answer the newest code, or wait for one. Raises as `Meeting.reply` does."""
        code = self._find()
        if code is None:
            self._waiting()
            code = await self._come()
        while True:
            self._used.add(code.digest)
            met: list[Met] = []
            newer: list[Code] = []
            await first_of(self._reply(code, met), self._wait_for_newer(code, newer))
            if met:
                return met[0]
            code = newer[0]

    async def aclose(self) -> None:
        """There is nothing to free."""

    async def _reply(self, code: Code, met: list[Met]) -> None:
        met.append(await self._meeting.reply(code.text))

    async def _wait_for_newer(self, code: Code, newer: list[Code]) -> None:
        newer.append(await self._come(behind=code.digest))

    async def _come(self, behind: bytes = b"") -> Code:
        while True:
            await asyncio.sleep(POLL)
            if (code := self._find(behind)) is not None:
                return code

    def _find(self, behind: bytes = b"") -> Code | None:
        """The last good code that was not used, of those that stand behind the one with that digest."""
        try:
            pieces = _pieces(self._read())
        except OSError as error:
            problem = f"It cannot be read: {os.strerror(error.errno or 0)}."
            self._suspected("", CodeError(problem, hint="It must be a file that the user who runs tor can read."))
            return None
        for piece in reversed(pieces):
            try:
                code = parse(piece, wanted=Kind.OFFER, now=None)
                if code.digest == behind:
                    return None
                if code.digest in self._used:
                    continue
                return parse(piece, wanted=Kind.OFFER, now=self._clock())
            except CodeError as error:
                if piece is pieces[-1]:
                    self._suspected(piece, error)
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
