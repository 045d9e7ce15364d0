"""Sessions over memory links: streams, datagrams, drain, and every way to end."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from random import Random

import pytest

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, LinkLostError, RemoteProtocolError, Reply, StreamCode, StreamResetError
from mayfly.mux.events import Priority, Side
from mayfly.runtime.introduction import LocalHello, own_hello
from mayfly.runtime.rate import ByteLimiter, Rates
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.transport.base import PathInfo
from mayfly.transport.memory import MemoryPath, memory_links
from mayfly.wire.address import Destination
from mayfly.wire.header import Answer, Header, Service
from mayfly.wire.hello import Role
from support.sessions import joined

CHAT = Header(Service.CHAT)


async def opened(streams: list[Stream], count: int = 1) -> Stream:
    """Wait for the peer's streams to appear; gives the last."""
    while len(streams) < count:
        await asyncio.sleep(0)
    return streams[count - 1]


async def read_all(stream: Stream) -> bytes:
    parts: list[bytes] = []
    while data := await stream.read():
        parts.append(data)
    return b"".join(parts)


async def write_all(stream: Stream, data: bytes) -> None:
    await stream.write(data)
    stream.finish()


async def test_each_end_learns_what_the_other_says_of_itself() -> None:
    async with joined() as (client, relay):
        assert client.session.peer.role is Role.RELAY
        assert relay.session.peer.role is Role.CLIENT
        assert client.session.peer.policy == "policy words"
        assert client.session.peer.lifetime == 60


async def test_a_stream_carries_header_answer_and_bytes_both_ways() -> None:
    async with joined() as (client, relay):
        header = Header(Service.TCP, Destination.parse_host("example.com", 443))
        ours = await client.session.open_stream(header)
        await ours.write(b"early")
        theirs = await opened(relay.streams)
        assert await theirs.read_header() == header
        await theirs.answer(Answer(Reply.CONNECTION_REFUSED))
        theirs.finish()
        assert (await ours.read_answer()).reply is Reply.CONNECTION_REFUSED
        assert await ours.read() == b""
        ours.finish()
        assert await read_all(theirs) == b"early"
        await asyncio.gather(client.session.wait_idle(), relay.session.wait_idle())
        assert client.session.open_streams == relay.session.open_streams == 0


async def test_bulk_both_ways_at_once_over_a_reordering_path_keeps_every_byte() -> None:
    path = MemoryPath(latency=0.001, reorder=8)
    async with joined(path=path, random=Random(7)) as (client, relay):
        payload = Random(1).randbytes(3_000_000)
        ours = await client.session.open_stream(CHAT)
        theirs = await opened(relay.streams)
        await theirs.read_header()

        async def send(stream: Stream) -> None:
            for start in range(0, len(payload), 50_000):
                await stream.write(payload[start : start + 50_000])
            stream.finish()

        received = await asyncio.gather(read_all(ours), read_all(theirs), send(ours), send(theirs))
        digest = hashlib.sha256(payload).digest()
        assert [hashlib.sha256(data or b"").digest() for data in received[:2]] == [digest, digest]
        assert client.session.bytes_received == len(payload)


async def test_a_writer_waits_for_a_reader_that_stopped_and_others_do_not() -> None:
    config = MuxConfig(initial_stream_window=64 * 1024, max_stream_window=64 * 1024, send_buffer=64 * 1024)
    async with joined(config=config) as (client, relay):
        stalled = await client.session.open_stream(CHAT)
        writing = asyncio.get_running_loop().create_task(stalled.write(bytes(1_000_000)))
        quick = await client.session.open_stream(CHAT)
        slow_end = await opened(relay.streams, 1)
        quick_end = await opened(relay.streams, 2)
        await quick_end.read_header()
        _, received_quickly = await asyncio.gather(write_all(quick, bytes(500_000)), read_all(quick_end))
        assert len(received_quickly) == 500_000
        assert not writing.done()
        await slow_end.read_header()
        received = 0
        while received < 1_000_000:
            received += len(await slow_end.read())
        await writing


async def test_a_reset_reaches_the_other_end_with_its_code() -> None:
    async with joined() as (client, relay):
        ours = await client.session.open_stream(CHAT)
        theirs = await opened(relay.streams)
        await theirs.read_header()
        ours.reset(StreamCode.TIMEOUT)
        with pytest.raises(StreamResetError) as caught:
            await theirs.read()
        assert caught.value.code == StreamCode.TIMEOUT
        with pytest.raises(StreamResetError):
            await theirs.write(b"x" * 1000)
        with pytest.raises(StreamResetError):
            await ours.read()
        await asyncio.gather(client.session.wait_idle(), relay.session.wait_idle())
        assert client.session.open_streams == relay.session.open_streams == 0


async def test_a_bad_header_resets_the_stream() -> None:
    async with joined() as (client, relay):
        ours = await client.session.open_stream(CHAT)
        theirs = await opened(relay.streams)
        await theirs.read_header()
        await theirs.write(b"\x05\x00\x09\x00\x00\x00")  # an answer with an unknown address type
        with pytest.raises(StreamResetError) as caught:
            await ours.read_answer()
        assert caught.value.code == StreamCode.BAD_HEADER


async def test_idle_means_that_the_other_end_has_everything() -> None:
    """So a session may be closed then, although the channel keeps no order between a stream's tail and the close."""
    path = MemoryPath(latency=0.001, reorder=16)
    async with joined(path=path, random=Random(3)) as (client, relay):
        ours = await client.session.open_stream(CHAT)
        theirs = await opened(relay.streams)
        await theirs.read_header()
        theirs.finish()
        assert await ours.read() == b""
        received = asyncio.get_running_loop().create_task(read_all(theirs))
        await ours.write(bytes(400_000))
        ours.finish()
        await client.session.wait_idle()
        await client.session.close()
        assert len(await received) == 400_000


async def test_datagrams_go_both_ways_with_their_stream() -> None:
    async with joined() as (client, relay):
        ours = await client.session.open_stream(Header(Service.UDP))
        theirs = await opened(relay.streams)
        client.session.send_datagram(ours.id, b"question")
        relay.session.send_datagram(theirs.id, b"answer")
        while not (client.datagrams and relay.datagrams):
            await asyncio.sleep(0)
        assert relay.datagrams == [(ours.id, b"question")]
        assert client.datagrams == [(ours.id, b"answer")]


async def test_opening_waits_for_stream_credit() -> None:
    async with joined(config=MuxConfig(max_streams=2)) as (client, relay):
        first = await client.session.open_stream(CHAT)
        await client.session.open_stream(CHAT)
        third = asyncio.get_running_loop().create_task(client.session.open_stream(CHAT))
        theirs = await opened(relay.streams, 2)
        assert not third.done()
        first.reset()
        theirs = relay.streams[0]
        with pytest.raises(StreamResetError):
            await read_all(theirs)
        assert (await third).id == 4


async def test_goaway_refuses_new_streams_and_lets_old_ones_finish() -> None:
    async with joined() as (client, relay):
        ours = await client.session.open_stream(CHAT)
        theirs = await opened(relay.streams)
        heard: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
        client.session.on_goaway(lambda seconds, reason: heard.put_nowait((seconds, reason)))
        relay.session.go_away(12, "time is up")
        assert await heard.get() == (12, "time is up")
        with pytest.raises(StreamResetError) as caught:
            await client.session.open_stream(CHAT)
        assert caught.value.code == StreamCode.DRAINING
        await theirs.read_header()
        await theirs.write(b"still here")
        theirs.finish()
        assert await read_all(ours) == b"still here"


async def test_close_is_heard_with_its_code_and_reason() -> None:
    async with joined() as (client, relay):
        await client.session.close(ErrorCode.DRAINED, "done")
        end = await relay.session.wait_closed()
        assert (end.by, end.code, end.reason) == (Side.PEER, ErrorCode.DRAINED, "done")
        assert (await client.session.wait_closed()).by is Side.US
        with pytest.raises(LinkLostError):
            await relay.session.open_stream(CHAT)


async def test_a_lost_link_resets_every_stream_at_once() -> None:
    async with joined() as (client, relay):
        ours = await client.session.open_stream(CHAT)
        reading = asyncio.get_running_loop().create_task(ours.read())
        opening = asyncio.get_running_loop().create_task(client.session.wait_closed())
        await opened(relay.streams)
        client.link.cut("the cable was pulled")
        with pytest.raises(StreamResetError):
            await reading
        end = await opening
        assert (end.by, end.reason) == (Side.LINK, "the cable was pulled")
        assert client.session.open_streams == 0


async def test_a_silent_link_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = MuxConfig(ping_after=0.02, dead_after=0.06)
    async with joined(config=config) as (client, relay):
        client.link.silence()
        end = await client.session.wait_closed()
        assert (end.by, end.code) == (Side.LINK, ErrorCode.LIVENESS_TIMEOUT)
        assert (await relay.session.wait_closed()).code == ErrorCode.LIVENESS_TIMEOUT


async def test_a_peer_that_speaks_something_else_is_refused() -> None:
    first, second = memory_links()
    answers: asyncio.Queue[bytes] = asyncio.Queue()
    second.start(answers.put_nowait, lambda: None, lambda _reason: None)
    second.send(b"GET / HTTP/1.1\r\n\r\n")
    session = Session(
        first,
        LocalHello(role=Role.CLIENT),
        config=MuxConfig(),
        on_stream=lambda _stream: None,
        on_datagram=lambda _id, _data: None,
    )
    with pytest.raises(RemoteProtocolError) as caught:
        await session.start()
    assert caught.value.code is ErrorCode.FRAME_ENCODING_ERROR
    await session.wait_closed()


async def test_a_peer_that_leaves_before_hello_is_a_lost_link() -> None:
    first, second = memory_links()
    second.start(lambda _message: None, lambda: None, lambda _reason: None)
    session = Session(
        first,
        LocalHello(role=Role.CLIENT),
        config=MuxConfig(),
        on_stream=lambda _stream: None,
        on_datagram=lambda _id, _data: None,
    )
    starting = asyncio.get_running_loop().create_task(session.start())
    await second.close()
    with pytest.raises(LinkLostError):
        await starting


@pytest.mark.parametrize("direction", ["sending", "receiving"])
async def test_rates_hold_a_session_back(direction: str) -> None:
    unlimited = ByteLimiter(1e9, 1e9)
    slow = ByteLimiter(500_000, 20_000)
    rates = Rates(slow, unlimited) if direction == "sending" else Rates(unlimited, slow)
    async with joined(relay_rates=rates) as (client, relay):
        ours = await client.session.open_stream(CHAT)
        theirs = await opened(relay.streams)
        await theirs.read_header()
        sender, receiver = (theirs, ours) if direction == "sending" else (ours, theirs)
        loop = asyncio.get_running_loop()
        began = loop.time()
        writing = loop.create_task(sender.write(bytes(120_000)))
        received = 0
        while received < 120_000:
            received += len(await receiver.read())
        await writing
        assert loop.time() - began >= (120_000 - 20_000 - 33_000) / 500_000


async def test_the_message_budget_follows_the_link() -> None:
    """A link that drains slowly never holds more than its high water and one message."""
    path = MemoryPath(bandwidth=20e6, high_water=64 * 1024)
    async with joined(path=path) as (client, relay):
        ours = await client.session.open_stream(CHAT)
        theirs = await opened(relay.streams)
        await theirs.read_header()
        writing = asyncio.get_running_loop().create_task(ours.write(bytes(1_000_000)))
        highest = received = 0
        while received < 1_000_000:
            received += len(await theirs.read())
            highest = max(highest, client.link.buffered_amount)
        await writing
        assert 0 < highest <= 64 * 1024 + 16 * 1024


async def test_priorities_reach_the_multiplexer() -> None:
    async with joined(path=MemoryPath(bandwidth=5e6)) as (client, relay):
        bulk = await client.session.open_stream(CHAT, Priority.BULK)
        theirs = await opened(relay.streams)
        await theirs.read_header()
        writing = asyncio.get_running_loop().create_task(bulk.write(bytes(2_000_000)))
        await theirs.read()
        chat = await client.session.open_stream(CHAT, Priority.CHAT)
        await chat.write(b"hello")
        chat.finish()
        chat_end = await opened(relay.streams, 2)
        await chat_end.read_header()
        assert await read_all(chat_end) == b"hello"
        assert not writing.done()
        bulk.reset()
        with pytest.raises(StreamResetError):
            await writing


class AbsorbingLink:
    """A link whose engine passes everything on at once, and so is never full and never calls back."""

    offerer = True
    max_message = 262_144
    high_water = 8 * 1024
    buffered_amount = 0
    overruns = False

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.flushed = 0
        self.receive: Callable[[bytes], None] = lambda _message: None

    def start(
        self, receive: Callable[[bytes], None], writable: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        self.receive = receive

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def flush(self) -> None:
        self.flushed = len(self.sent)

    def path(self) -> PathInfo:
        return PathInfo(None, None, None, 0, 0)

    async def close(self) -> None:
        pass


async def absorbed() -> tuple[Session, AbsorbingLink]:
    """A session that has started on such a link."""
    link = AbsorbingLink()
    session = Session(
        link,
        LocalHello(role=Role.CLIENT),
        config=MuxConfig(),
        on_stream=lambda _stream: None,
        on_datagram=lambda _id, _data: None,
    )
    starting = asyncio.get_running_loop().create_task(session.start())
    await asyncio.sleep(0)
    link.receive(own_hello(MuxConfig(), LocalHello(role=Role.RELAY)).encode().encode())
    await starting
    return session, link


async def test_what_is_flushed_leaves_at_once_and_once() -> None:
    session, link = await absorbed()
    stream = await session.open_stream(CHAT)
    stream.put(bytes(1000))
    before = len(link.sent)
    stream.flush()
    assert len(link.sent) == link.flushed == before + 1
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(link.sent) == before + 1
    await session.close()
    session.flush()
    assert link.flushed <= len(link.sent) == before + 2, "after the last word nothing is sent"


async def test_a_link_that_is_never_full_gets_everything() -> None:
    session, link = await absorbed()
    stream = await session.open_stream(CHAT)
    stream.put(bytes(60_000))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sum(map(len, link.sent)) > 60_000
    await session.close()
