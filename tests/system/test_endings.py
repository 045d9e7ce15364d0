"""How connections and links end: in halves, by reset, by a process that is gone, by silence. Nothing is left behind."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest

from support import socks
from support.bodies import body
from support.mayfly import OPEN_LOOPBACK, MayflyProcess, Tunnel, connected_client, tunnel
from support.sockets import Holdings, settles
from support.tcp import echo, hash_at_end, serving, set_reset

LINK_LOST = 5
NOTICED_WITHIN = 15.0
SLACK = 3.0
SIZE = 1 << 20


async def opened(pair: Tunnel, server: tuple[str, int], count: int) -> list[socks.Connection]:
    """Open connections that have each carried a byte."""
    connections = []
    for _ in range(count):
        connection = await socks.connect((pair.host, pair.port), *server)
        connection.writer.write(b"x")
        assert await connection.reader.readexactly(1) == b"x"
        connections.append(connection)
    return connections


async def ended(connection: socks.Connection, timeout: float = 15.0) -> None:
    """Wait for the end of a connection, in order or not."""
    try:
        async with asyncio.timeout(timeout):
            while await connection.reader.read(65536):
                pass
    except ConnectionError:
        pass
    finally:
        connection.writer.transport.abort()


async def test_the_application_ends_its_half_and_is_still_answered() -> None:
    sent = b"".join(body(SIZE))
    async with (
        serving(hash_at_end) as server,
        tunnel() as pair,
        await socks.connect((pair.host, pair.port), *server) as connection,
        asyncio.timeout(20),
    ):
        connection.writer.write(sent)
        connection.writer.write_eof()
        answer = await connection.reader.read()
    assert answer.decode() == f"{hashlib.sha256(sent).hexdigest()} {SIZE}\n"


async def test_the_server_ends_its_half_and_still_hears() -> None:
    sent = b"".join(body(SIZE))
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def greet_and_listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"that was all from me")
        writer.write_eof()
        heard.set_result(await reader.read())

    async with (
        serving(greet_and_listen) as server,
        tunnel() as pair,
        await socks.connect((pair.host, pair.port), *server) as connection,
        asyncio.timeout(20),
    ):
        assert await connection.reader.read() == b"that was all from me"
        connection.writer.write(sent)
        connection.writer.write_eof()
        assert await heard == sent


async def test_the_applications_reset_reaches_the_server_as_one() -> None:
    seen: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    async def watch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        try:
            await reader.read()
        except ConnectionResetError as error:
            seen.set_result(error)
        else:
            seen.set_result(None)

    async with serving(watch) as server, tunnel() as pair:
        (connection,) = await opened(pair, server, 1)
        connection.reset()
        async with asyncio.timeout(15):
            assert isinstance(await seen, ConnectionResetError)


async def test_the_servers_reset_reaches_the_application_as_one() -> None:
    async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(1))
        await writer.drain()
        await reader.readexactly(1)
        set_reset(writer)

    async with serving(slam) as server, tunnel() as pair:
        (connection,) = await opened(pair, server, 1)
        async with connection, asyncio.timeout(15):
            connection.writer.write(b"x")
            with pytest.raises(ConnectionResetError):
                await connection.reader.read()


async def test_ended_connections_leave_nothing_behind() -> None:
    async with serving(echo) as server, tunnel() as pair:
        # Once before counting: what a process opens for good (resolver threads, caches) is no leak.
        for connection in await opened(pair, server, 3):
            connection.reset()
        (connection,) = await opened(pair, server, 1)
        async with connection:
            pass
        before = {process: Holdings.of(process.process) for process in (pair.relay, pair.client)}
        connections = await opened(pair, server, 60)
        for number, connection in enumerate(connections):
            match number % 3:
                case 0:
                    connection.reset()
                case 1:
                    connection.close()
                case _:
                    connection.writer.write_eof()
                    await ended(connection)
        for process, held in before.items():
            await settles(process.process, held)


async def test_a_client_that_vanishes_costs_the_relay_nothing() -> None:
    async with serving(echo) as server, MayflyProcess.running("relay", "--bind", "127.0.0.1", *OPEN_LOOPBACK) as relay:
        async with connected_client(relay) as pair:
            for connection in await opened(pair, server, 3):
                connection.close()
            pair.client.interrupt()
            await pair.client.wait()
            await relay.event("closed")
        before = Holdings.of(relay.process)
        async with connected_client(relay) as pair:
            connections = await opened(pair, server, 20)
            pair.client.kill()
            started = time.monotonic()
            await relay.event("closed", timeout=NOTICED_WITHIN + SLACK)
            assert time.monotonic() - started <= NOTICED_WITHIN + SLACK
            for connection in connections:
                await ended(connection)
        await settles(relay.process, before)
        async with connected_client(relay) as pair:
            for connection in await opened(pair, server, 3):
                connection.close()


async def goodbye(client: MayflyProcess, connections: list[socks.Connection]) -> None:
    """The client says that the link is lost, ends its local connections, and leaves with that status."""
    await client.event("closed", timeout=NOTICED_WITHIN + SLACK)
    for connection in connections:
        await ended(connection)
    assert await client.wait() == LINK_LOST


async def test_a_relay_that_is_killed_is_noticed() -> None:
    async with serving(echo) as server, tunnel() as pair:
        connections = await opened(pair, server, 5)
        pair.relay.kill()
        await goodbye(pair.client, connections)


async def test_a_link_that_goes_silent_is_noticed() -> None:
    async with serving(echo) as server, tunnel() as pair:
        connections = await opened(pair, server, 5)
        pair.relay.pause()
        try:
            await goodbye(pair.client, connections)
        finally:
            pair.relay.resume()


async def test_a_short_silence_is_survived() -> None:
    async with serving(echo) as server, tunnel() as pair:
        (connection,) = await opened(pair, server, 1)
        pair.relay.pause()
        await asyncio.sleep(3)  # the silence itself is what is tested
        pair.relay.resume()
        async with connection, asyncio.timeout(10):
            connection.writer.write(b"still there?")
            assert await connection.reader.readexactly(12) == b"still there?"
        assert not pair.client.named("closed")
