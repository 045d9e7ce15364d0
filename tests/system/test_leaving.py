"""Leaving in order: Ctrl-C once drains, twice stops, and `--for` does the first by itself."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator

import pytest

from support import socks
from support.bodies import body_sha256
from support.http import Origin, origin
from support.mayfly import OPEN_LOOPBACK, MayflyProcess, Tunnel, tunnel

SIZE = 4 << 20
INTERRUPTED = 130


class Download:
    """A download whose second half waits until `release` is called."""

    def __init__(self, web: Origin, connection: socks.Connection) -> None:
        self._web = web
        self._connection = connection

    @classmethod
    @contextlib.asynccontextmanager
    async def begun(cls, pair: Tunnel, web: Origin) -> AsyncIterator[Download]:
        """Begin it through the tunnel; the first bytes have arrived."""
        async with await socks.connect((pair.host, pair.port), web.host, web.port) as connection:
            connection.writer.write(f"GET /gated/here/{SIZE} HTTP/1.0\r\n\r\n".encode())
            await connection.reader.readuntil(b"\r\n\r\n")
            yield cls(web, connection)

    async def release(self) -> None:
        """Let the second half come. Asked for directly, not through the tunnel."""
        reader, writer = await asyncio.open_connection(self._web.host, self._web.port)
        writer.write(b"POST /open/here HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()

    async def sha256(self) -> str:
        """The SHA-256 of all that comes. Ends the connection, as a browser would."""
        digest = hashlib.sha256()
        async with asyncio.timeout(30):
            while data := await self._connection.reader.read(65536):
                digest.update(data)
        self._connection.close()
        return digest.hexdigest()


@pytest.mark.parametrize("leaver", ["relay", "client"])
async def test_once_drains_and_the_open_download_finishes(leaver: str) -> None:
    async with origin() as web, tunnel() as pair, Download.begun(pair, web) as download:
        going, staying = (pair.relay, pair.client) if leaver == "relay" else (pair.client, pair.relay)
        going.interrupt()
        draining = await going.event("draining")
        leaving = await staying.event("leaving")
        assert draining["streams"] == 1
        assert 0 < leaving["seconds"] <= draining["seconds"]
        with pytest.raises((socks.RefusedError, OSError, asyncio.IncompleteReadError)):
            await socks.connect((pair.host, pair.port), web.host, web.port)
        await download.release()
        assert await download.sha256() == body_sha256(SIZE)
        assert await going.wait(timeout=draining["seconds"] / 2) == 0, "it waited for its time to be up"
        await staying.event("closed")


@pytest.mark.parametrize("leaver", ["relay", "client"])
async def test_twice_stops_at_once(leaver: str) -> None:
    async with origin() as web, tunnel() as pair, Download.begun(pair, web) as download:
        going, staying = (pair.relay, pair.client) if leaver == "relay" else (pair.client, pair.relay)
        going.interrupt()
        await going.event("draining")
        going.interrupt()
        assert await going.wait(timeout=5) == INTERRUPTED
        await staying.event("closed", timeout=5)
        with contextlib.suppress(ConnectionError):
            assert await download.sha256() != body_sha256(SIZE)


async def test_without_open_streams_leaving_takes_no_time() -> None:
    async with tunnel() as pair:
        pair.client.interrupt()
        assert await pair.client.wait(timeout=5) == 0
        await pair.relay.event("closed")
        pair.relay.interrupt()
        assert await pair.relay.wait(timeout=5) == 0


async def test_a_grace_period_ends() -> None:
    async with origin() as web, tunnel((*OPEN_LOOPBACK, "--grace", "1s")) as pair, Download.begun(pair, web):
        pair.relay.interrupt()
        assert await pair.relay.wait(timeout=10) == 0
        await pair.client.event("closed")


async def test_time_is_up() -> None:
    async with tunnel((*OPEN_LOOPBACK, "--for", "12s")) as pair:
        assert 0 < pair.client_connected["lifetime"] <= 12
        leaving = await pair.client.event("leaving")
        assert leaving["reason"]
        assert await pair.relay.wait(timeout=10) == 0
        await pair.client.event("closed")


@pytest.mark.parametrize("command", [("relay",), ("client", "--socks", "127.0.0.1:0")], ids=["relay", "client"])
async def test_ctrl_c_while_waiting_for_a_code(command: tuple[str, ...]) -> None:
    async with MayflyProcess.running(*command, "--bind", "127.0.0.1") as process:
        await process.code("offer")
        process.interrupt()
        assert await process.wait(timeout=5) in (0, INTERRUPTED)
        assert not process.garbage
