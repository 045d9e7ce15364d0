"""SOCKS proxies, and no proxy at all: the tunnel, `ssh -D`, plain TCP. curl moves the bytes, and they are hashed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import psutil

from bench.isolate import isolated
from bench.subjects import SSH, TCP, TUNNEL_STOCK, TUNNEL_UNLIMITED, TUNNEL_WRTC
from support import socks
from support.bodies import body_sha256, file_sha256, write_body
from support.http import Origin, uploaded
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, split_address
from support.programs import ProgramError, run
from support.ssh import SshServer, ssh_socks

AT_ONCE = 32


class ProxySubject:
    """A way to the origin through a SOCKS proxy; `proxy` None is the direct one."""

    def __init__(
        self,
        name: str,
        proxy: tuple[str, int] | None,
        origin: Origin,
        folder: Path,
        ends: Callable[[], list[psutil.Process]],
        inside: Sequence[str] = (),
    ) -> None:
        """`inside` goes before every curl: the way into another network namespace."""
        self.name = name
        self._ends = ends
        self._folder = folder
        self._proxy = proxy
        self._origin = origin
        self._curl = [*inside, "curl", "-sSf", *(["--socks5-hostname", f"{proxy[0]}:{proxy[1]}"] if proxy else [])]

    def processes(self) -> list[psutil.Process]:
        return self._ends()

    async def download(self, size: int) -> float:
        target = self._folder / "download"
        done = await run(
            *self._curl, "-o", target, "-w", "%{time_total}", self._origin.url(f"/bytes/{size}"), timeout=600
        )
        right = await asyncio.to_thread(lambda: file_sha256(target) == body_sha256(size))
        target.unlink()
        if not right:
            raise ProgramError(f"what came through {self.name} is not what was sent")
        return float(done.text)

    async def upload(self, size: int) -> float:
        source = self._folder / "upload"
        if not source.exists() or source.stat().st_size != size:
            write_body(source, size)
        argv = (*self._curl, "-T", str(source), "-H", "Expect:", "-w", " %{time_total}", self._origin.url("/upload"))
        answer, seconds = (await run(*argv, timeout=600)).text.rsplit(" ", 1)
        if uploaded(answer) != (body_sha256(size), size):
            raise ProgramError(f"what went up through {self.name} is not what was sent")
        return float(seconds)

    async def first_byte(self) -> float:
        started = time.perf_counter()
        async with await self._connected() as connection:
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

    async def _connected(self) -> socks.Connection:
        if self._proxy is None:
            return socks.Connection(*await asyncio.open_connection(self._origin.host, self._origin.port))
        return await socks.connect(self._proxy, self._origin.host, self._origin.port)


@contextlib.asynccontextmanager
async def tunnel(name: str, origin: Origin, folder: Path) -> AsyncIterator[tuple[ProxySubject, float]]:
    """A connected tunnel, and the seconds its set-up took from the pasted answer to both ends' events."""
    engine = engine_arguments(name)
    rate = ("--max-rate", "none") if name == TUNNEL_UNLIMITED else ()
    async with (
        MayflyProcess.running("relay", *engine, *OPEN_LOOPBACK, *rate) as relay,
        MayflyProcess.running("client", "-", *engine, "--socks", "127.0.0.1:0") as client,
    ):
        await client.send_code(await relay.code("offer"))
        answer = await client.code("answer")
        started = time.perf_counter()
        await relay.send_code(answer)
        await asyncio.gather(relay.event("connected"), client.event("connected"))
        took = time.perf_counter() - started
        address = split_address((await client.event("listening"))["address"])
        yield ProxySubject(name, address, origin, folder, lambda: [relay.process, client.process]), took


def engine_arguments(name: str) -> Sequence[str]:
    """The options that give a tunnel its engine. libwebrtc cannot be told where to bind: the namespace decides."""
    if name == TUNNEL_STOCK:
        return ("--engine", "aiortc-stock", "--bind", "127.0.0.1")
    if name != TUNNEL_WRTC:
        return LOOPBACK
    if not isolated():
        raise ProgramError("libwebrtc is measured only in a network namespace of its own")
    return ("--engine", "wrtc")


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


@contextlib.asynccontextmanager
async def tcp(origin: Origin, folder: Path) -> AsyncIterator[tuple[ProxySubject, float]]:
    """No proxy: what curl and the origin can do at most."""
    yield ProxySubject(TCP, None, origin, folder, list), 0.0
