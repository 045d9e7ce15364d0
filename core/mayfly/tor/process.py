"""A tor of our own as a process: found, started, and gone when we are, however we end.

Three things see to the last: it is told to end when we close it; it ends by itself when its owner's control connection
does (`TorControl.take_ownership`), which the system closes for whoever is killed; and until there is such a connection
it looks every few seconds whether our process still exists (`__OwningControllerProcess`).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import re
import shutil
import tempfile
from collections import deque
from pathlib import Path

from mayfly.errors import TorError
from mayfly.runtime.terminal import printable
from mayfly.tor.settings import (
    LOOPBACK,
    ControlAddress,
    TorSettings,
    compose_torrc,
    control_port_file,
    parse_control_port,
)

log = logging.getLogger(__name__)

_KEPT_LINES = 50
_LOOK_EVERY = 0.02
_EMPTY = re.compile(r"^Reading config failed|Failed to bind one of the listener ports")
"""Complaints that only say that there was one before them."""
_SEVERE = re.compile(r"\[(?:warn|err)\] (.+)")


class TorDirectory:
    """The folder of one tor of ours. Nobody else uses it before `release`."""

    def __init__(self, base: Path | None) -> None:
        self._temporary = None if base is not None else tempfile.TemporaryDirectory(prefix="mayfly-tor-")
        self._lock = -1
        self.path = Path(self._temporary.name) if self._temporary is not None else self._claim(base or Path())

    def _claim(self, base: Path) -> Path:
        """The first folder in `base` that nobody holds: `1`, `2`, …"""
        try:
            number = 1
            while True:
                folder = base / str(number)
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = os.open(folder / "held", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    os.close(lock)
                    number += 1
                    continue
                self._lock = lock
                return folder
        except OSError as error:
            raise TorError(
                f"The directory for tor's state cannot be used: {error.strerror}.",
                hint="It is `mayfly/tor` in the user's state directory; see XDG_STATE_HOME.",
            ) from None

    def release(self) -> None:
        """Give it up, and remove it if it was temporary. Idempotent."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
        if self._temporary is not None:
            self._temporary.cleanup()


def find_tor(program: str) -> str:
    """The path of the program, also where only root's PATH has it. Raises TorError."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    found = shutil.which(program, path=places)
    if found is None:
        raise TorError(
            "The program tor was not found.",
            hint="Install it (on Debian: apt install tor), or name a running one with --tor-control.",
        )
    return found


class TorProcess:
    """A running tor. Make one with `start`, and `end` it."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path) -> None:
        self._process = process
        self._directory = directory
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._reading = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def start(cls, settings: TorSettings, directory: Path) -> TorProcess:
        """Start tor. Raises TorError where there is none."""
        program = find_tor(settings.program)
        control_port_file(directory).unlink(missing_ok=True)
        torrc = compose_torrc(directory, os.getpid(), settings.torrc)
        # In a session of its own: Ctrl-C is for us, and open streams may finish after it.
        try:
            process = await asyncio.create_subprocess_exec(
                *(program, "--defaults-torrc", os.devnull, "-f", "-"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise TorError(
                f"The program tor could not be started: {error.strerror}.", hint="Try `tor --version` by hand."
            ) from None
        self = cls(process, directory)
        # Through a pipe: lines with the addresses of bridges stand in no file and in no list of processes. Not waited
        # for, so that whoever is cancelled here has started nothing that it does not know of.
        if process.stdin is not None:
            process.stdin.write(torrc.encode())
            process.stdin.close()
        return self

    async def control_address(self, timeout: float) -> ControlAddress:
        """Where it takes commands, once it does. Raises TorError when it ends before that or takes too long."""
        file = control_port_file(self._directory)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    if self._reading.done():
                        raise self._ended()
                    with contextlib.suppress(OSError):
                        port = parse_control_port(file.read_text())
                        if port is not None:
                            return ControlAddress(LOOPBACK, port)
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            raise TorError("Tor was started and does not take commands.") from None

    async def wait(self) -> None:
        """Wait for its end."""
        await asyncio.shield(self._reading)

    async def end(self, timeout: float) -> None:
        """Make it end, and kill it when it does not in time. Idempotent."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(asyncio.shield(self._reading), timeout)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._reading

    def _ended(self) -> TorError:
        """Why it ended, by the last complaint in its log."""
        complaints = [found[1] for line in self._lines if (found := _SEVERE.search(line))]
        # The very last says only that the configuration was bad, and one before it what was.
        what = next((text for text in reversed(complaints) if not _EMPTY.search(text)), "")
        return TorError(
            "Tor ended as soon as it was started" + (f": {printable(what)}" if what else "."),
            hint="Look at the lines given with --torrc-line." if what else "Start it by hand, and see what it says.",
        )

    async def _read(self) -> None:
        """Keep the last of its log; ends with the process."""
        while self._process.stdout is not None and (line := await self._process.stdout.readline()):
            text = line.decode(errors="replace").rstrip()
            self._lines.append(text)
            log.info("tor: %s", text)
        await self._process.wait()
