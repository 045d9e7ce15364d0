"""The proxy over two real sessions on a link in memory; only the relay's upstream is played here."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import IPv4Address

import pytest

from mayfly.config import KIB, MuxConfig
from mayfly.errors import Reply, StreamCode, StreamResetError
from mayfly.runtime.introduction import LocalHello
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.runtime.tasks import TaskSet
from mayfly.socks import udp
from mayfly.transport.memory import MemoryLink, memory_links
from mayfly.wire.address import NOWHERE, Destination
from mayfly.wire.header import Answer, Header, Service
from mayfly.wire.hello import Role
from mayfly_client.dialler import SessionDialler
from mayfly_client.listener import ProxyListener
from unit.client.conftest import Application, Applications

NAME = Destination("example.com", 80)
BOUND = Destination(IPv4Address("198.51.100.1"), 4321)
GRANTED = b"\x05\x00\x05\x00\x00" + BOUND.encode()
CONNECT = b"\x05\x01\x00\x05\x01\x00" + NAME.encode()

Serve = Callable[[Stream, Header], Awaitable[None]]


class World:
    """A proxy whose one relay serves each stream with `serve`."""

    def __init__(self) -> None:
        near, far = memory_links()
        self.dialler = SessionDialler()
        self.listener = ProxyListener(self.dialler)
        self.link: MemoryLink = near
        self.ours = self._session(near, Role.CLIENT, lambda _stream: None, self.dialler.deliver)
        self.theirs = self._session(far, Role.RELAY, self._on_stream, self._on_datagram)
        self.datagrams: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self.ended: asyncio.Queue[Header | int] = asyncio.Queue()
        self.serve: Serve = echo
        self._tasks = TaskSet()

    def _session(
        self,
        link: MemoryLink,
        role: Role,
        on_stream: Callable[[Stream], None],
        on_datagram: Callable[[int, bytes], None],
    ) -> Session:
        return Session(link, LocalHello(role=role), config=MuxConfig(), on_stream=on_stream, on_datagram=on_datagram)

    async def start(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.ours.start())
            group.create_task(self.theirs.start())
        self.dialler.attach(self.ours)
        await self.listener.start("127.0.0.1", 0)

    async def end(self) -> None:
        await self.listener.aclose()
        await self._tasks.aclose()
        await self.ours.close()
        await self.theirs.close()

    def _on_stream(self, stream: Stream) -> None:
        self._tasks.spawn(self._serve(stream))

    def _on_datagram(self, stream_id: int, payload: bytes) -> None:
        self.datagrams.put_nowait((stream_id, payload))

    async def _serve(self, stream: Stream) -> None:
        header = await stream.read_header()
        try:
            await self.serve(stream, header)
        except StreamResetError as error:
            self.ended.put_nowait(error.code)
        else:
            self.ended.put_nowait(header)


async def echo(stream: Stream, _header: Header) -> None:
    """Send everything back, and the end too."""
    await stream.answer(Answer(Reply.SUCCEEDED, BOUND))
    while data := await stream.read():
        await stream.write(data)
    stream.finish()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.start()
    yield made
    await made.end()


async def start(world: World, apps: Applications, said: bytes, answer: bytes = GRANTED) -> Application:
    app = await apps.start(world.listener, said)
    assert await app.reader.readexactly(len(answer)) == answer
    return app


async def until_no_stream_is_left(world: World) -> None:
    await world.listener.drain()
    while world.ours.open_streams or world.theirs.open_streams:
        await asyncio.sleep(0)


async def test_bytes_there_and_back_with_an_early_beginning(world: World, apps: Applications) -> None:
    app = await start(world, apps, CONNECT + b"early ")
    app.writer.write(b"and late")
    app.writer.write_eof()
    assert await app.everything() == b"early and late"
    assert await world.ended.get() == Header(Service.TCP, NAME)
    await until_no_stream_is_left(world)


async def test_early_data_beyond_every_window_arrives_whole(world: World, apps: Applications) -> None:
    """It comes before the relay has answered, so the proxy must stop reading and later lose nothing."""
    answer = asyncio.Event()
    body = bytes(range(256)) * 16 * KIB  # 4 MiB

    async def late(stream: Stream, header: Header) -> None:
        await answer.wait()
        await echo(stream, header)

    world.serve = late
    app = await apps.start(world.listener, CONNECT + body)
    heard = asyncio.get_running_loop().create_task(app.reader.readexactly(len(GRANTED) + len(body)))
    while not world.theirs.open_streams:
        await asyncio.sleep(0)
    answer.set()
    app.writer.write_eof()
    data = await heard
    assert data.startswith(GRANTED)
    assert hashlib.sha256(data[len(GRANTED) :]).digest() == hashlib.sha256(body).digest()
    assert await app.everything() == b""
    await until_no_stream_is_left(world)


@pytest.mark.parametrize("reply", [Reply.NOT_ALLOWED, Reply.CONNECTION_REFUSED])
async def test_the_relays_refusal(world: World, apps: Applications, reply: Reply) -> None:
    async def refuse(stream: Stream, _header: Header) -> None:
        await stream.answer(Answer(reply))
        stream.finish()

    world.serve = refuse
    app = await apps.start(world.listener, CONNECT)
    assert await app.everything() == b"\x05\x00\x05" + bytes([reply, 0]) + NOWHERE.encode()
    await until_no_stream_is_left(world)


async def test_leaving_before_the_answer_resets_the_stream_at_the_relay(world: World, apps: Applications) -> None:
    async def never(stream: Stream, _header: Header) -> None:
        await stream.read()

    world.serve = never
    app = await apps.start(world.listener, CONNECT)
    while not world.theirs.open_streams:
        await asyncio.sleep(0)
    await app.leave()
    assert await world.ended.get() == StreamCode.CANCELLED
    await world.listener.drain()


async def test_resolve(world: World, apps: Applications) -> None:
    async def resolve(stream: Stream, header: Header) -> None:
        assert header == Header(Service.RESOLVE, Destination("example.com", 0))
        await stream.answer(Answer(Reply.SUCCEEDED, Destination(IPv4Address("192.0.2.1"), 0)))
        stream.finish()

    world.serve = resolve
    app = await apps.start(world.listener, b"\x05\x01\x00\x05\xf0\x00" + NAME.encode())
    assert await app.everything() == b"\x05\x00\x05\x00\x00\x01\xc0\x00\x02\x01\x00\x00"
    await until_no_stream_is_left(world)


async def test_udp(world: World, apps: Applications) -> None:
    class Socket(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.heard: asyncio.Queue[bytes] = asyncio.Queue()

        def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
            self.heard.put_nowait(data)

    async def associate(stream: Stream, header: Header) -> None:
        assert header == Header(Service.UDP)
        await stream.answer(Answer(Reply.SUCCEEDED))
        await stream.read()

    world.serve = associate
    app = await start(world, apps, b"\x05\x01\x00\x05\x03\x00" + NOWHERE.encode(), b"\x05\x00\x05\x00\x00")
    found = Destination.decode(await app.reader.readexactly(7))
    assert found is not None
    loop = asyncio.get_running_loop()
    transport, sock = await loop.create_datagram_endpoint(Socket, local_addr=("127.0.0.1", 0))
    transport.sendto(udp.encode(NAME, b"query"), (str(found[0].host), found[0].port))
    stream_id, payload = await world.datagrams.get()
    assert payload == NAME.encode() + b"query"
    world.theirs.send_datagram(stream_id, BOUND.encode() + b"answer")
    assert await sock.heard.get() == udp.encode(BOUND, b"answer")
    await app.leave()
    assert await world.ended.get() == StreamCode.CANCELLED
    transport.close()
    await until_no_stream_is_left(world)


async def test_a_relay_that_drains_is_a_general_failure(world: World, apps: Applications) -> None:
    told = asyncio.Event()
    world.ours.on_goaway(lambda _seconds, _reason: told.set())
    open_one = await start(world, apps, CONNECT)
    world.theirs.go_away(30, "time is up")
    await told.wait()
    app = await apps.start(world.listener, CONNECT)
    assert await app.everything() == b"\x05\x00\x05\x01\x00" + NOWHERE.encode()
    open_one.writer.write(b"goes on")
    open_one.writer.write_eof()
    assert await open_one.everything() == b"goes on"


async def test_a_link_that_is_lost_ends_what_is_open_and_fails_what_is_asked(world: World, apps: Applications) -> None:
    async def never(stream: Stream, _header: Header) -> None:
        await stream.read()

    spliced = await start(world, apps, CONNECT)
    world.serve = never
    waiting = await apps.start(world.listener, CONNECT)
    while world.theirs.open_streams < 2:
        await asyncio.sleep(0)
    world.link.cut()
    assert await waiting.everything() == b"\x05\x00\x05\x01\x00" + NOWHERE.encode()
    with pytest.raises(ConnectionResetError):
        await spliced.reader.read()
    late = await apps.start(world.listener, CONNECT)
    assert await late.everything() == b"\x05\x00\x05\x01\x00" + NOWHERE.encode()
    await until_no_stream_is_left(world)


async def test_a_hundred_at_once(world: World, apps: Applications) -> None:
    bodies = [bytes([number]) * (1000 + 997 * number) for number in range(100)]

    async def one(body: bytes) -> bytes:
        app = await start(world, apps, CONNECT)
        app.writer.write(body)
        app.writer.write_eof()
        return await app.everything()

    assert await asyncio.gather(*(one(body) for body in bodies)) == bodies
    await until_no_stream_is_left(world)
