"""What is measured: the tunnel, ssh -D and the bare channel, each behind the few calls that the measurements make."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol

import psutil

from bench.figures import BARE, SSH, TUNNEL
from support import socks
from support.bodies import write_body
from support.http import Origin, uploaded
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, split_address
from support.programs import Program, ProgramError, run
from support.ssh import SshServer, ssh_socks
from support.tcp import echo, serving

MB = 1_000_000
AT_ONCE = 32
IDLE_STREAMS = 500


class Subject(Protocol):
    """Something that moves bytes. A call gives None where the question makes no sense."""

    @property
    def name(self) -> str:
        """As in the table."""
        ...

    def processes(self) -> list[psutil.Process]:
        """All processes of both ends."""
        ...

    async def download(self, size: int) -> float:
        """Seconds for that many bytes towards the client."""
        ...

    async def upload(self, size: int) -> float:
        """Seconds for that many bytes away from the client."""
        ...

    async def first_byte(self) -> float:
        """Seconds from asking for a small thing to its first byte, everything warm."""
        ...

    async def streams(self, count: int) -> float | None:
        """Seconds for that many small fetches, 32 at once, each on a stream of its own."""
        ...

    async def idle_memory(self) -> float | None:
        """Bytes that one idle stream costs, both ends together."""
        ...


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Processor time of all of them so far."""
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


class ProxySubject:
    """A SOCKS proxy: the tunnel or ssh -D."""

    def __init__(
        self, name: str, proxy: tuple[str, int], origin: Origin, folder: Path, ends: Callable[[], list[psutil.Process]]
    ) -> None:
        self.name = name
        self._ends = ends
        self._folder = folder
        self._proxy = proxy
        self._origin = origin
        self._curl = ("curl", "-sSf", "--socks5-hostname", f"{proxy[0]}:{proxy[1]}")

    def processes(self) -> list[psutil.Process]:
        return self._ends()

    async def download(self, size: int) -> float:
        url = self._origin.url(f"/bytes/{size}")
        done = await run(*self._curl, "-o", "/dev/null", "-w", "%{size_download} %{time_total}", url, timeout=300)
        got, seconds = done.text.split()
        if int(got) != size:
            raise ProgramError(f"{got} bytes came through {self.name}")
        return float(seconds)

    async def upload(self, size: int) -> float:
        source = self._folder / "upload"
        if not source.exists() or source.stat().st_size != size:
            write_body(source, size)
        argv = (*self._curl, "-T", source, "-H", "Expect:", "-w", " %{time_total}", self._origin.url("/upload"))
        done = await run(*argv, timeout=300)
        answer, seconds = done.text.rsplit(" ", 1)
        if uploaded(answer)[1] != size:
            raise ProgramError(f"the upload through {self.name} came short")
        return float(seconds)

    async def first_byte(self) -> float:
        started = time.perf_counter()
        async with await socks.connect(self._proxy, self._origin.host, self._origin.port) as connection:
            connection.writer.write(b"GET /small HTTP/1.0\r\n\r\n")
            if not await connection.reader.read(1):
                raise ProgramError(f"no byte came through {self.name}")
            took = time.perf_counter() - started
            await connection.reader.read()
        return took

    async def streams(self, count: int) -> float | None:
        left = iter(range(count))

        async def worker() -> None:
            for _ in left:
                await self.first_byte()

        started = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        return time.perf_counter() - started

    async def idle_memory(self) -> float | None:
        async with serving(echo) as server, contextlib.AsyncExitStack() as stack:
            before = self._resident()
            for _ in range(IDLE_STREAMS):
                connection = await stack.enter_async_context(await socks.connect(self._proxy, *server))
                connection.writer.write(b"x")
                await connection.reader.readexactly(1)
            return (self._resident() - before) / IDLE_STREAMS

    def _resident(self) -> int:
        return sum(process.memory_info().rss for process in self.processes())


class BareSubject:
    """Two processes that hold one bare aiortc channel."""

    def __init__(self, name: str, relay: Program, client: Program) -> None:
        self.name = name
        self._relay = relay
        self._client = client

    def processes(self) -> list[psutil.Process]:
        return [psutil.Process(self._relay.pid), psutil.Process(self._client.pid)]

    async def download(self, size: int) -> float:
        return await self._move(self._relay, self._client, size)

    async def upload(self, size: int) -> float:
        return await self._move(self._client, self._relay, size)

    async def _move(self, sender: Program, receiver: Program, size: int) -> float:
        async with asyncio.TaskGroup() as group:
            arrived = group.create_task(told(receiver))
            group.create_task(ask(sender, {"do": "send", "bytes": size}))
        return float(arrived.result()["seconds"])

    async def first_byte(self) -> float:
        answer = await ask(self._client, {"do": "ping", "count": 1})
        return float(answer["seconds"][0])

    async def streams(self, count: int) -> float | None:
        return None

    async def idle_memory(self) -> float | None:
        return None


async def told(peer: Program) -> dict[str, Any]:
    """The next line that a bare peer says."""
    await peer.until(lambda: bool(peer.lines), "an answer", timeout=300)
    answer = json.loads(peer.lines.pop(0))
    assert isinstance(answer, dict)
    return answer


async def ask(peer: Program, command: dict[str, Any]) -> dict[str, Any]:
    """Give a bare peer a command and await its answer."""
    await peer.write_line(json.dumps(command))
    return await told(peer)


@contextlib.asynccontextmanager
async def bare(name: str) -> AsyncIterator[tuple[BareSubject, float]]:
    """A connected bare channel, and the seconds its set-up took from the pasted answer."""
    argv = (sys.executable, "-m", "bench.bare_peer", "uvloop" if name == BARE else "asyncio")
    async with Program.running(*argv) as relay, Program.running(*argv) as client:
        offer = await ask(relay, {"do": "offer"})
        answer = await ask(client, {"do": "answer", "offer": offer})
        accepted = await ask(relay, {"do": "accept", "answer": answer})
        yield BareSubject(name, relay, client), float(accepted["seconds"])


@contextlib.asynccontextmanager
async def whole_tunnel(origin: Origin, folder: Path) -> AsyncIterator[tuple[ProxySubject, float]]:
    """A connected tunnel, and the seconds its set-up took from the pasted answer to both ends' events."""
    client_argv = ("client", "-", *LOOPBACK, "--socks", "127.0.0.1:0")
    async with (
        MayflyProcess.running("relay", *LOOPBACK, *OPEN_LOOPBACK) as relay,
        MayflyProcess.running(*client_argv) as client,
    ):
        await client.send_code(await relay.code("offer"))
        answer = await client.code("answer")
        started = time.perf_counter()
        await relay.send_code(answer)
        await asyncio.gather(relay.event("connected"), client.event("connected"))
        took = time.perf_counter() - started
        address = split_address((await client.event("listening"))["address"])
        yield ProxySubject(TUNNEL, address, origin, folder, lambda: [relay.process, client.process]), took


@contextlib.asynccontextmanager
async def ssh(server: SshServer, origin: Origin, folder: Path) -> AsyncIterator[tuple[ProxySubject, float]]:
    """ssh -D, and the seconds from its start to its listener: the start of a process is in it, ssh has no other way."""
    started = time.perf_counter()
    before = set(psutil.Process().children())
    async with ssh_socks(server) as proxy:
        took = time.perf_counter() - started
        (client,) = set(psutil.Process().children()) - before
        daemon = psutil.Process(server.log.pid)
        yield ProxySubject(SSH, proxy, origin, folder, lambda: [client, *daemon.children(recursive=True)]), took
