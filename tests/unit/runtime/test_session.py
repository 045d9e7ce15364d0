"""Sessions over memory links: streams, datagrams, drain, and every way to end."""

from __future__ import annotations

import asyncio
import hashlib
from random import Random

import pytest

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, LinkLostError, RemoteProtocolError, Reply, StreamCode, StreamResetError
from mayfly.mux.events import Priority, Side
from mayfly.runtime.rate import ByteLimiter, Rates
from mayfly.runtime.stream import Stream
from mayfly.transport.memory import MemoryPath, memory_links
from mayfly.wire.address import Destination
from mayfly.wire.header import Answer, Header, Service
from mayfly.wire.hello import Role
from support.sessions import CHAT, arrived, joined, opened, read_all, session_on


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
        theirs = await arrived(relay)
        assert await theirs.read_header() == header
        await theirs.answer(Answer(Reply.CONNECTION_REFUSED))
        theirs.finish()
        assert (await ours.read_answer()).reply is Reply.CONNECTION_REFUSED
        assert await ours.read() == b""
        ours.finish()
        assert await read_all(theirs) == b"early"
        await asyncio.gather(client.session.wait_idle(), relay.session.wait_idle())
        assert client.session.open_streams == relay.session.open_streams == 0
        assert not client.session._streams and not relay.session._streams, "nobody holds them any more"


async def test_what_a_stream_flushes_leaves_before_the_next_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async with joined() as (client, _relay):
        stream = await client.session.open_stream(CHAT)
        sent: list[bytes] = []
        with monkeypatch.context() as patch:
            patch.setattr(client.link, "send", sent.append)
            stream.put(bytes(1000))
            assert sent == []
            stream.flush()
        assert sum(map(len, sent)) > 1000


async def test_bulk_both_ways_at_once_over_a_reordering_path_keeps_every_byte() -> None:
    path = MemoryPath(latency=0.001, reorder=8)
    async with joined(path=path, random=Random(7)) as (client, relay):
        payload = Random(1).randbytes(3_000_000)
        ours, theirs = await opened(client, relay)

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
        slow_end, quick_end = await arrived(relay), await arrived(relay)
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
        ours, theirs = await opened(client, relay)
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
        ours, theirs = await opened(client, relay)
        await theirs.write(b"\x05\x00\x09\x00\x00\x00")  # an answer with an unknown address type
        with pytest.raises(StreamResetError) as caught:
            await ours.read_answer()
        assert caught.value.code == StreamCode.BAD_HEADER


async def test_idle_means_that_the_other_end_has_everything() -> None:
    """So a session may be closed then, although the channel keeps no order between a stream's tail and the close."""
    path = MemoryPath(latency=0.001, reorder=16)
    async with joined(path=path, random=Random(3)) as (client, relay):
        ours, theirs = await opened(client, relay)
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
        theirs = await arrived(relay)
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
        theirs = await arrived(relay)
        await arrived(relay)
        assert not third.done()
        first.reset()
        with pytest.raises(StreamResetError):
            await read_all(theirs)
        assert (await third).id == 4


async def test_goaway_refuses_new_streams_and_lets_old_ones_finish() -> None:
    async with joined() as (client, relay):
        ours = await client.session.open_stream(CHAT)
        theirs = await arrived(relay)
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
        await arrived(relay)
        client.link.cut("the cable was pulled")
        with pytest.raises(StreamResetError):
            await reading
        end = await opening
        assert (end.by, end.reason) == (Side.LINK, "the cable was pulled")
        assert client.session.open_streams == 0


async def test_a_silent_link_is_noticed() -> None:
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
    session = session_on(first, Role.CLIENT)
    with pytest.raises(RemoteProtocolError) as caught:
        await session.start()
    assert caught.value.code is ErrorCode.FRAME_ENCODING_ERROR
    await session.wait_closed()


async def test_a_peer_that_leaves_before_hello_is_a_lost_link() -> None:
    first, second = memory_links()
    second.start(lambda _message: None, lambda: None, lambda _reason: None)
    starting = asyncio.get_running_loop().create_task(session_on(first, Role.CLIENT).start())
    await second.close()
    with pytest.raises(LinkLostError):
        await starting


@pytest.mark.parametrize("direction", ["sending", "receiving"])
async def test_rates_hold_a_session_back(direction: str) -> None:
    unlimited = ByteLimiter(1e9, 1e9)
    slow = ByteLimiter(500_000, 20_000)
    rates = Rates(slow, unlimited) if direction == "sending" else Rates(unlimited, slow)
    async with joined(relay_rates=rates) as (client, relay):
        ours, theirs = await opened(client, relay)
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
        ours, theirs = await opened(client, relay)
        writing = asyncio.get_running_loop().create_task(ours.write(bytes(1_000_000)))
        highest = received = 0
        while received < 1_000_000:
            received += len(await theirs.read())
            highest = max(highest, client.link.buffered_amount)
        await writing
        assert 0 < highest <= 64 * 1024 + 16 * 1024


async def test_priorities_reach_the_multiplexer() -> None:
    async with joined(path=MemoryPath(bandwidth=5e6)) as (client, relay):
        bulk, theirs = await opened(client, relay, priority=Priority.BULK)
        writing = asyncio.get_running_loop().create_task(bulk.write(bytes(2_000_000)))
        await theirs.read()
        chat, chat_end = await opened(client, relay, priority=Priority.CHAT)
        await chat.write(b"hello")
        chat.finish()
        assert await read_all(chat_end) == b"hello"
        assert not writing.done()
        bulk.reset()
        with pytest.raises(StreamResetError):
            await writing
