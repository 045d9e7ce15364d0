from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
import uvloop

from mayfly.config import SocksConfig
from mayfly.runtime.stream import Stream
from mayfly_client import connection
from mayfly_client.listener import ProxyListener
from unit.client.fakes import FakeDialler


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both loops: their transports differ in what they allow once something is closing or paused."""
    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def dialler() -> FakeDialler:
    return FakeDialler()


class Proxies:
    """Starts proxies on free ports, whose relay is the test, and makes sure that they end."""

    def __init__(self, dialler: FakeDialler) -> None:
        self._dialler = dialler
        self._started: list[ProxyListener] = []

    async def start(
        self, host: str = "127.0.0.1", *, config: SocksConfig | None = None, auth: tuple[str, str] | None = None
    ) -> ProxyListener:
        """One more."""
        listener = ProxyListener(self._dialler, config=config, auth=auth)
        self._started.append(listener)
        await listener.start(host, 0)
        return listener

    async def end(self) -> None:
        """Close them all."""
        for listener in self._started:
            await listener.aclose()


@pytest.fixture
async def proxies(dialler: FakeDialler) -> AsyncIterator[Proxies]:
    started = Proxies(dialler)
    yield started
    await started.end()


@pytest.fixture
async def listener(proxies: Proxies) -> ProxyListener:
    """The usual one."""
    return await proxies.start()


class Application:
    """A program that speaks through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def everything(self) -> bytes:
        """All that the proxy says until it ends its half; then leave."""
        heard = await self.reader.read()
        await self.leave()
        return heard

    async def leave(self) -> None:
        """Close as programs do."""
        self.writer.close()
        await self.writer.wait_closed()

    async def vanish(self) -> None:
        """Reset the connection."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def port_of(listener: ProxyListener) -> int:
    """The port that people are told."""
    return int(listener.address.rpartition(":")[2])


class Applications:
    """Starts programs, and makes sure that they end."""

    def __init__(self) -> None:
        self._started: list[Application] = []

    async def start(self, listener: ProxyListener, said: bytes = b"", host: str = "127.0.0.1") -> Application:
        """Connect to the proxy and say the first words."""
        app = Application(*await asyncio.open_connection(host, port_of(listener)))
        self._started.append(app)
        if said:
            app.writer.write(said)
        return app

    async def end(self) -> None:
        """Cut off whoever is still there."""
        for app in self._started:
            app.writer.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture
async def apps() -> AsyncIterator[Applications]:
    applications = Applications()
    yield applications
    await applications.end()


@dataclass
class Splice:
    """What a splice was given, in place of the real one. It lasts until `finish` is set."""

    stream: object
    transport: asyncio.Transport
    early: bytes
    finish: asyncio.Event


class Taken(asyncio.Protocol):
    """The splice's own protocol: it collects."""

    def __init__(self) -> None:
        self.data = b""
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


@pytest.fixture
def splices(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[Splice]:
    """Takes the place of the runtime's splice, and tells each one that starts."""
    started: asyncio.Queue[Splice] = asyncio.Queue()

    async def splice_transport(stream: Stream, transport: asyncio.Transport, early: bytes = b"") -> None:
        transport.set_protocol(Taken())
        splice = Splice(stream, transport, early, asyncio.Event())
        started.put_nowait(splice)
        await splice.finish.wait()

    monkeypatch.setattr(connection, "splice_transport", splice_transport)
    return started
