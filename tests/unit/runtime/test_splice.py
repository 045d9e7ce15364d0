"""A stream joined to a real TCP connection on loopback: bytes, half-close, reset, back-pressure."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import pytest

from mayfly.config import MuxConfig
from mayfly.errors import StreamCode, StreamResetError
from mayfly.runtime.splice import splice_socket, splice_transport
from mayfly.runtime.stream import Stream
from mayfly.wire.header import Header, Service
from support.sessions import End, arrived, joined, opened, read_all


@dataclass
class Spliced:
    """`stream` is the far end of a stream whose near end is spliced to a TCP connection with `reader` and `writer`."""

    client: End
    relay: End
    stream: Stream
    sock: socket.socket
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    splicing: asyncio.Task[None]


@asynccontextmanager
async def spliced(
    config: MuxConfig | None = None, *, waiting: bytes = b"", reset: bool = False, over: bool = False
) -> AsyncIterator[Spliced]:
    """`waiting` has come on the stream before it is spliced, or a reset, or all that ends a stream politely."""
    async with joined(config=config) as (client, relay):
        accepted: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
        accepted = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda r, w: accepted.set_result((r, w)), "127.0.0.1", 0)
        sock = socket.socket()
        sock.setblocking(False)
        if over:  # so that something waits in the loop as well
            server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        await asyncio.get_running_loop().sock_connect(sock, server.sockets[0].getsockname())
        reader, writer = await accepted
        far, near = await opened(client, relay)
        await far.write(waiting)
        while waiting and not relay.session._mux.readable(near.id):
            await asyncio.sleep(0)
        if over:
            far.finish()
            client.session.stop(far, StreamCode.CANCELLED)
            while near._stop_code is None or relay.session._mux._streams.require(near.id).final_size is None:
                await asyncio.sleep(0)
        if reset:
            far.reset()
            await client.session.wait_idle()
        splicing = asyncio.get_running_loop().create_task(splice_socket(near, sock))
        try:
            yield Spliced(client, relay, far, sock, reader, writer, splicing)
        finally:
            writer.transport.abort()
            splicing.cancel()
            await asyncio.gather(splicing, return_exceptions=True)
            server.close()
            await server.wait_closed()


def reset_tcp(spliced: Spliced) -> None:
    sock = spliced.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    spliced.writer.transport.abort()


async def idle(spliced: Spliced) -> None:
    await asyncio.gather(spliced.client.session.wait_idle(), spliced.relay.session.wait_idle())


async def test_bytes_pass_both_ways_and_each_half_closes_alone() -> None:
    async with spliced() as s:
        await s.stream.write(b"request")
        s.stream.finish()
        assert await s.reader.read() == b"request"
        s.writer.write(b"response after the other half closed")
        s.writer.write_eof()
        assert await read_all(s.stream) == b"response after the other half closed"
        await s.splicing
        await idle(s)
        assert s.client.session.open_streams == s.relay.session.open_streams == 0


async def test_what_had_come_before_is_passed_on_by_itself() -> None:
    async with spliced(waiting=b"early") as s:
        assert await s.reader.readexactly(5) == b"early"


async def test_tcp_may_end_its_half_first() -> None:
    async with spliced() as s:
        s.writer.write_eof()
        assert await s.stream.read() == b""
        await s.stream.write(b"late answer")
        s.stream.finish()
        assert await s.reader.read() == b"late answer"
        await s.splicing


async def test_megabytes_both_ways_at_once() -> None:
    async with spliced() as s:
        up, down = bytes(range(256)) * 12_000, bytes(range(255, -1, -1)) * 12_000

        async def send_down() -> None:
            s.writer.write(down)
            s.writer.write_eof()

        async def send_up() -> None:
            await s.stream.write(up)
            s.stream.finish()

        received = await asyncio.gather(s.reader.read(), read_all(s.stream), send_up(), send_down())
        assert received[0] == up
        assert received[1] == down
        await s.splicing


@pytest.mark.parametrize("before", [b"", b"half of it"])
async def test_a_tcp_reset_resets_the_stream(before: bytes) -> None:
    """Also behind bytes that came with it: what is cut short must not look whole."""
    async with spliced() as s:
        await s.stream.write(b"x")
        await s.reader.readexactly(1)
        s.writer.write(before)
        reset_tcp(s)
        with pytest.raises(StreamResetError) as caught:
            assert await s.stream.read() == before
            await s.stream.read()
        assert caught.value.code == StreamCode.CONNECTION_RESET
        await s.splicing
        await idle(s)


@pytest.mark.parametrize("how", ["a stream that is reset", "a session that is lost"])
async def test_what_becomes_a_tcp_reset(how: str) -> None:
    async with spliced() as s:
        await s.stream.write(b"x")
        await s.reader.readexactly(1)
        if how == "a stream that is reset":
            s.stream.reset(StreamCode.CANCELLED)
        else:
            s.relay.link.cut()
        with pytest.raises(ConnectionResetError):
            while await s.reader.read(100):
                pass
        await s.splicing
        await idle(s)


async def test_a_stream_that_was_reset_before_becomes_a_tcp_reset() -> None:
    async with spliced(reset=True) as s:
        with pytest.raises(ConnectionResetError):
            await s.reader.read()
        await s.splicing
        assert s.sock.fileno() == -1, "or it would close the number of another one"


@pytest.mark.parametrize("size", [0, 30_000])
async def test_a_stream_that_was_over_before_leaves_what_it_brought(size: int) -> None:
    async with spliced(waiting=bytes(size), over=True) as s:
        assert await s.reader.read() == bytes(size)
        await s.splicing
        assert s.sock.fileno() == -1


async def test_what_nobody_reads_is_dropped_and_the_other_half_still_arrives() -> None:
    async with spliced() as s:
        s.client.session.stop(s.stream, StreamCode.CANCELLED)
        await s.stream.write(b"tail")
        s.writer.write(bytes(100_000))
        assert await s.reader.readexactly(4) == b"tail"
        s.writer.write(bytes(100_000))
        s.stream.finish()
        assert await s.reader.read() == b""
        await s.splicing


async def test_what_nobody_reads_any_more_ends_the_connection_when_the_other_half_had_ended() -> None:
    async with spliced() as s:
        s.stream.finish()
        assert await s.reader.read() == b""
        s.client.session.stop(s.stream, StreamCode.CANCELLED)
        async with asyncio.timeout(10):
            await s.splicing
            await idle(s)


async def test_tcp_that_was_held_back_is_read_again_once_nobody_wants_it() -> None:
    config = MuxConfig(initial_stream_window=64 * 1024, max_stream_window=64 * 1024, send_buffer=64 * 1024)
    async with spliced(config) as s:
        s.writer.write(bytes(30_000_000))  # more than the kernel's buffers on loopback take
        s.writer.write_eof()
        while s.relay.session.bytes_sent < 64 * 1024:
            await asyncio.sleep(0)
        s.client.session.stop(s.stream, StreamCode.CANCELLED)
        async with asyncio.timeout(10):
            await s.writer.drain()
            s.stream.finish()
            await s.splicing


async def test_a_tcp_reader_that_stops_holds_the_sender_back() -> None:
    config = MuxConfig(initial_stream_window=64 * 1024, max_stream_window=64 * 1024, send_buffer=64 * 1024)
    async with spliced(config) as s:
        s.writer.transport.pause_reading()  # type: ignore[attr-defined]
        size = 30_000_000  # more than the kernel's buffers on loopback take
        writing = asyncio.get_running_loop().create_task(s.stream.write(bytes(size)))
        before = -1
        while s.client.session.bytes_sent != before:  # until nothing moves any more
            before = s.client.session.bytes_sent
            for _ in range(200):
                await asyncio.sleep(0)
        assert not writing.done()
        s.writer.transport.resume_reading()  # type: ignore[attr-defined]
        received = 0
        while received < size:
            received += len(await s.reader.read(1 << 20))
        await writing


async def test_a_stream_reader_that_stops_holds_tcp_back() -> None:
    config = MuxConfig(initial_stream_window=64 * 1024, max_stream_window=64 * 1024, send_buffer=64 * 1024)
    async with spliced(config) as s:
        size = 30_000_000
        s.writer.write(bytes(size))
        received = len(await s.stream.read())
        assert s.relay.session.bytes_sent <= 2 * 64 * 1024 + 1
        while received < size:
            received += len(await s.stream.read())


@pytest.mark.parametrize("paused", [False, True])
async def test_early_bytes_of_an_accepted_connection_come_first(paused: bool) -> None:
    async with joined() as (client, relay):
        spliced_streams: list[asyncio.Task[None]] = []
        near = await client.session.open_stream(Header(Service.CHAT))

        class Handshake(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport = cast(asyncio.Transport, transport)

            def data_received(self, data: bytes) -> None:
                if paused:
                    self.transport.pause_reading()
                work = splice_transport(near, self.transport, early=data[5:])
                spliced_streams.append(asyncio.get_running_loop().create_task(work))

        server = await asyncio.get_running_loop().create_server(Handshake, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"helloearly ")
        far = await arrived(relay)
        await far.read_header()
        assert await far.read() == b"early "
        assert not spliced_streams[0].done(), "it lasts as long as the connection"
        writer.write(b"late")
        writer.write_eof()
        assert await read_all(far) == b"late"
        far.finish()
        assert await reader.read() == b""
        await asyncio.gather(*spliced_streams)
        writer.close()
        server.close()
        await server.wait_closed()


async def test_cancelling_aborts_both_sides() -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    async with spliced() as s:
        await s.stream.write(b"x")
        await s.reader.readexactly(1)
        s.splicing.cancel()
        with pytest.raises(StreamResetError) as caught:
            await s.stream.read()
        assert caught.value.code == StreamCode.CANCELLED
        with pytest.raises(ConnectionResetError):
            while await s.reader.read(100):
                pass
        with pytest.raises(asyncio.CancelledError):
            await s.splicing
        assert failures == []


async def test_cancelling_what_has_just_been_lost_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a relay stops in the turn in which a connection ends: there is nothing left to abort."""
    async with spliced() as s:
        reset = Stream.reset

        def cancel_as_well(stream: Stream, code: int) -> None:
            reset(stream, code)
            s.splicing.cancel()

        await s.stream.write(b"x")
        await s.reader.readexactly(1)
        monkeypatch.setattr(Stream, "reset", cancel_as_well)
        reset_tcp(s)
        with pytest.raises(asyncio.CancelledError):
            await s.splicing


async def test_a_socket_that_the_loop_refuses_is_closed_and_the_stream_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise OSError("no")

    async with joined() as (client, relay):
        far = await client.session.open_stream(Header(Service.CHAT))
        near = await arrived(relay)
        sock = socket.socket()
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
        await splice_socket(near, sock)
        assert sock.fileno() == -1
        with pytest.raises(StreamResetError) as caught:
            await far.read()
        assert caught.value.code == StreamCode.CONNECTION_RESET
