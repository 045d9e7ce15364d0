"""tor as `mayfly pt` meets it, played by a test: variables, two pipes, and SOCKS connections with arguments."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import pytest

import mayfly_client.pt.app
from mayfly.pt.environment import ClientSettings
from mayfly.runtime.shutdown import Shutdown
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from mayfly_client.pt.app import PtOptions, run_client
from mayfly_client.pt.teller import Tor
from support.news import News


class Heard(io.StringIO):
    """Standard output: the lines that were flushed. `closed_by_tor` makes it a pipe that nobody reads."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.broken = False
        self._news = News()

    def flush(self) -> None:
        if self.broken:
            raise BrokenPipeError
        self.lines = self.getvalue().splitlines()
        self._news.ring()

    async def line(self, part: str, count: int = 1) -> str:
        """The `count`th line that holds a text, as soon as it is there."""
        return await self._news.nth(count, lambda: (line for line in self.lines if part in line))


def settings(state: Path, **changes: object) -> ClientSettings:
    """What tor says in its variables."""
    values = {"transports": ("mayfly",), "exit_on_stdin_close": True, "proxy": None, **changes}
    return ClientSettings(state=PurePath(state), **values)  # type: ignore[arg-type]


@dataclass
class Running:
    """`mayfly pt` under way."""

    heard: Heard
    shutdown: Shutdown
    task: asyncio.Task[None] = field(repr=False)
    stdin: int
    """tor's end of our standard input."""
    writers: list[asyncio.StreamWriter] = field(default_factory=list, repr=False)
    tasks: list[asyncio.Task[int]] = field(default_factory=list, repr=False)

    async def port(self) -> int:
        return int((await self.heard.line("CMETHOD mayfly")).rpartition(":")[2])

    async def connect(self, arguments: str) -> int:
        """One of tor's connections to a bridge: SOCKS5 with arguments as its login. Gives REP."""
        reader, writer = await asyncio.open_connection("127.0.0.1", await self.port())
        self.writers.append(writer)
        text = arguments.encode()
        name, password = text[:255], text[255:] or b"\0"
        writer.write(b"\x05\x02\x00\x02")
        assert await reader.readexactly(2) == b"\x05\x02"
        writer.write(b"\x01" + bytes([len(name)]) + name + bytes([len(password)]) + password)
        assert await reader.readexactly(2) == b"\x01\x00"
        writer.write(b"\x05\x01\x00\x01" + bytes([192, 0, 2, 1]) + b"\x00\x01")
        return (await reader.readexactly(10))[1]

    def begin(self, arguments: str) -> asyncio.Task[int]:
        """The same, not waited for."""
        task = asyncio.get_running_loop().create_task(self.connect(arguments))
        self.tasks.append(task)
        return task

    async def end(self) -> None:
        """Close and cancel what the test began."""
        self.close_stdin()
        for task in (*self.tasks, self.task):
            task.cancel()
        await asyncio.gather(*self.tasks, self.task, return_exceptions=True)
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self.writers), return_exceptions=True)

    def close_stdin(self) -> None:
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1


@asynccontextmanager
async def running(
    monkeypatch: pytest.MonkeyPatch, network: MemoryNetwork, chosen: ClientSettings, *, links_around_proxy: bool = False
) -> AsyncIterator[Running]:
    """Begin it on a memory network; ended when the test leaves."""
    monkeypatch.setattr(mayfly_client.pt.app, "make_engine", lambda _name: MemoryEngine(network))
    heard, shutdown = Heard(), Shutdown()
    tor = Tor(heard)
    tor.on_gone(shutdown.request_stop)
    ours, theirs = os.pipe()
    work = run_client(
        chosen, PtOptions(link=LinkSettings(), links_around_proxy=links_around_proxy), tor, shutdown, ours
    )
    pt = Running(heard, shutdown, asyncio.get_running_loop().create_task(work), theirs)
    try:
        yield pt
    finally:
        await pt.end()
        os.close(ours)
