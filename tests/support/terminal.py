"""A program at a terminal, as a person has it: what it shows is kept, what the person types is sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import re
import signal
import termios
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from support.homes import at_home
from support.news import News
from support.programs import ROOT, ProgramError, environment, mortal, program

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)")
ROWS, COLUMNS = 60, 100


class Terminal:
    """A running program on a pseudo-terminal of 60 rows and 100 columns."""

    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self._master = master
        self._process = process
        self._raw = bytearray()
        self._news = News()

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls, *argv: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> AsyncIterator[Terminal]:
        """Run a program at a terminal while the block lasts; killed and reaped at its end.

        It has a home of its own unless `env` is a Home's.
        """
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (ROWS, COLUMNS))
        stack = contextlib.ExitStack()
        variables = environment({"TERM": "xterm-256color"} | stack.enter_context(at_home(env)))
        del variables["COLUMNS"]
        # --ctty makes it the controlling terminal, without which Ctrl-C is only a character.
        process = await asyncio.create_subprocess_exec(
            *mortal((program("setsid"), "--ctty", *argv)),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=variables,
            cwd=cwd or ROOT,
        )
        os.close(slave)
        os.set_blocking(master, False)
        self = cls(master, process)
        loop = asyncio.get_running_loop()
        loop.add_reader(master, self._readable)
        try:
            yield self
        except BaseException as error:
            error.add_note(f"--- the terminal showed ---\n{self.text}")
            raise
        finally:
            loop.remove_reader(master)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            os.close(master)
            stack.close()

    def _readable(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except BlockingIOError:
            return
        except OSError:  # EIO: the program's side is closed
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        self._raw += data
        self._news.ring()

    @property
    def text(self) -> str:
        """All that it showed so far, without escape sequences."""
        return _ESCAPES.sub("", self._raw.decode(errors="replace")).replace("\r", "")

    async def shows(self, pattern: str, *, after: int = 0, timeout: float = 30.0) -> re.Match[str]:
        """Wait until what it shows, behind the first `after` characters, matches."""
        try:
            return await self._news.until(lambda: re.search(pattern, self.text[after:]), timeout)
        except TimeoutError:
            raise ProgramError(f"the terminal did not show {pattern!r}") from None

    def type(self, text: str) -> None:
        """Type something and press Enter."""
        os.write(self._master, text.encode() + b"\n")

    def press(self, keys: str) -> None:
        """Press keys, and no Enter."""
        os.write(self._master, keys.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        os.write(self._master, b"\x03")

    async def wait(self, timeout: float = 15.0) -> int:
        """The exit status, once it has ended."""
        async with asyncio.timeout(timeout):
            return await self._process.wait()
