"""Real programs as child processes: started, watched by line, always reaped, their output kept to show on failure."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("core", "relay", "client", "broker_optional", "tests")
LINE_LIMIT = 32 * 1024 * 1024
KEPT_OUTPUT = 16 * 1024

_OWN_PORTS = range(16_384, 32_768)
"""Below those that Linux gives to who asks for any: no connection takes one between its choice and its use."""


class ProgramError(AssertionError):
    """A program ended, stayed silent or failed where a test needed it. The text holds its last output."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a program that ran to its end left behind."""

    status: int
    stdout: bytes
    stderr: str

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode(errors="replace")


def find_program(name: str) -> str | None:
    """The path of a program, also where only root's PATH has it (sshd, dnsmasq, ip)."""
    places = [os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    return shutil.which(name, path=os.pathsep.join(places))


def program(name: str) -> str:
    """As find_program; raises ProgramError when it is missing."""
    path = find_program(name)
    if path is None:
        raise ProgramError(f"{name} is not installed")
    return path


def mortal(argv: Sequence[str | Path]) -> list[str]:
    """The argv that dies with us, also when we are killed and clean up nothing, where util-linux is there to say so."""
    setpriv = find_program("setpriv")
    return [*([setpriv, "--pdeathsig", "KILL"] if setpriv else []), *map(str, argv)]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for children: our source roots importable, no Mayfly or proxy settings of the tester."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("MAYFLY_") and not k.lower().endswith("_proxy")}
    kept["XDG_CONFIG_HOME"] = str(ROOT / "tests" / "no-configuration-here")
    kept["PYTHONPATH"] = os.pathsep.join(str(ROOT / part) for part in SOURCES)
    kept["PYTHONUNBUFFERED"] = "1"
    kept["NO_COLOR"] = "1"
    kept["COLUMNS"] = "100"
    return kept | dict(extra or {})


class Program:
    """A running child in a session of its own. Use `async with Program.running(...)`, which reaps it whatever happens.

    Lines of standard output go to `on_line` (default: kept in `lines`); both outputs are kept, the last part of each.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, on_line: Callable[[str], None] | None) -> None:
        self.name = name
        self.process = process
        self.lines: list[str] = []
        self._on_line = on_line
        self._kept: dict[str, str] = {"stdout": "", "stderr": ""}
        self._changed = asyncio.Condition()
        self._readers: asyncio.Task[None] | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def running(
        cls,
        *argv: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> AsyncIterator[Program]:
        """Start a program; at the end of the block kill it if it still runs, and reap it."""
        process = await _started(argv, env, cwd)
        child = cls(Path(argv[0]).name, process, on_line)
        # Not a TaskGroup: fixtures may enter and leave this block in different tasks.
        child._readers = asyncio.get_running_loop().create_task(child._read_all())
        try:
            yield child
        except BaseException as error:
            error.add_note(child.output)
            raise
        finally:
            await child.kill()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self.process.pid

    @property
    def stderr(self) -> str:
        """The last of its standard error."""
        return self._kept["stderr"]

    @property
    def output(self) -> str:
        """The last of both outputs, to be read by a person."""
        parts = [f"--- {self.name} ({name}) ---\n{text.rstrip()}" for name, text in self._kept.items() if text.strip()]
        return "\n".join(parts) or f"--- {self.name}: no output ---"

    def error(self, what: str) -> ProgramError:
        """An error about this program; `running` adds what it had printed."""
        return ProgramError(f"{self.name}: {what}")

    async def _read_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read("stdout", self.process.stdout))
            group.create_task(self._read("stderr", self.process.stderr))
        await self.process.wait()
        async with self._changed:
            self._changed.notify_all()

    async def _read(self, name: str, reader: asyncio.StreamReader | None) -> None:
        assert reader is not None
        while line := await reader.readline():
            text = line.decode(errors="replace")
            self._kept[name] = (self._kept[name] + text)[-KEPT_OUTPUT:]
            async with self._changed:
                if name == "stdout":
                    (self._on_line or self.lines.append)(text.rstrip("\n"))
                self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether it has exited and all it printed has been read."""
        return self._readers is not None and self._readers.done()

    async def until(self, met: Callable[[], bool], what: str, timeout: float = 30.0) -> None:
        """Wait until `met` is true, looked at after each line. Raises ProgramError at the end of time or program."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                while not met():
                    if self.process.returncode is not None and self.ended:
                        raise self.error(f"ended with status {self.process.returncode} while a test waited for {what}")
                    await self._changed.wait()
        except TimeoutError:
            raise self.error(f"nothing came in {timeout:g} s while a test waited for {what}") from None

    async def wait_for_line(self, part: str, timeout: float = 30.0) -> str:
        """Wait for text in either output, and give the whole of that output so far."""
        await self.until(lambda: any(part in text for text in self._kept.values()), repr(part), timeout)
        return next(text for text in self._kept.values() if part in text)

    async def write_line(self, text: str) -> None:
        """Write one line to its standard input."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.process.stdin.write(text.encode() + b"\n")
            await self.process.stdin.drain()

    async def end_input(self) -> None:
        """Close its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await self.process.stdin.wait_closed()

    def send_signal(self, number: signal.Signals) -> None:
        """Signal the child itself, by its id, if it still runs."""
        if self.process.returncode is None:
            self.process.send_signal(number)

    async def wait(self, timeout: float = 30.0) -> int:
        """Wait for its end and give its exit status."""
        await self.until(lambda: self.ended, "its end", timeout)
        assert self.process.returncode is not None
        return self.process.returncode

    async def kill(self) -> None:
        """Kill it if it still runs, and reap it."""
        if self.process.returncode is None:
            self.process.kill()
        self.end_session()
        assert self._readers is not None
        await self._readers
        await self.end_input()

    def end_session(self) -> None:
        """Kill what the child left behind in the session made for it: a proxy command, a browser's helpers."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


async def _started(
    argv: Sequence[str | Path], env: Mapping[str, str] | None, cwd: Path | None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *mortal(argv),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(env),
        cwd=cwd or ROOT,
        limit=LINE_LIMIT,
        start_new_session=True,
    )


async def run(
    *argv: str | Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 60.0,
    check: bool = True,
) -> Finished:
    """Run a program to its end. Raises ProgramError when time is up or, with `check`, when it fails."""
    process = await _started(argv, env, cwd)
    name = Path(argv[0]).name
    try:
        async with asyncio.timeout(timeout):
            stdout, stderr = await process.communicate(stdin)
    except TimeoutError:
        raise ProgramError(f"{name} did not finish in {timeout:g} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    done = Finished(process.returncode or 0, stdout, stderr.decode(errors="replace"))
    if check and done.status:
        raise ProgramError(f"{name} failed with status {done.status}:\n{done.stderr[-2000:]}\n{done.text[-2000:]}")
    return done


async def poll(met: Callable[[], bool], what: str, timeout: float = 15.0, every: float = 0.05) -> None:
    """Wait for a fact about an outside process that sends no event. Raises ProgramError when time is up."""
    try:
        async with asyncio.timeout(timeout):
            while not met():
                await asyncio.sleep(every)
    except TimeoutError:
        raise ProgramError(f"not within {timeout:g} s: {what}") from None


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    """A port that was free just now, for programs that cannot be told to choose one."""
    for port in (secrets.choice(_OWN_PORTS) for _ in range(100)):
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind((host, port))
            return port
    raise ProgramError("no port is free")


async def accepts(host: str, port: int, timeout: float = 15.0) -> None:
    """Wait until something accepts TCP connections there."""

    def listening() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return True
        return False

    await poll(listening, f"a listener on port {port}", timeout)
