"""A stream of the peer is served to its end, and nothing of it stays open whatever happens."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.config import StreamHeaderConfig
from mayfly.errors import StreamCode, StreamResetError
from mayfly.runtime.serving import serve_stream
from mayfly.runtime.stream import Stream
from mayfly.wire.header import Header, Service
from support.sessions import CHAT, End, arrived, joined

IN_TIME = StreamHeaderConfig()


class Raw(Header):
    """A header of any bytes."""

    _raw: bytes

    def __init__(self, raw: bytes) -> None:
        super().__init__(Service.TCP)
        object.__setattr__(self, "_raw", raw)  # frozen

    def encode(self) -> bytes:
        return self._raw


async def unread(client: End, relay: End, header: Header = CHAT) -> tuple[Stream, Stream]:
    """A stream's two ends, the opener's first, its header not read."""
    return await client.session.open_stream(header), await arrived(relay)


async def code_of(stream: Stream) -> int:
    """With what the stream was reset."""
    async with asyncio.timeout(10):
        with pytest.raises(StreamResetError) as caught:
            await stream.read()
    return caught.value.code


async def closed(client: End, relay: End) -> None:
    """Wait until no stream is left at either end."""
    async with asyncio.timeout(10):
        await client.session.wait_idle()
        await relay.session.wait_idle()


async def never(stream: Stream, header: Header) -> None:
    raise AssertionError("it must not be served")


async def test_it_is_served_behind_its_header() -> None:
    async def echo(stream: Stream, header: Header) -> None:
        assert header == CHAT
        await stream.write(await stream.read())
        stream.finish()
        assert await stream.read() == b""

    async with joined() as (client, relay):
        ours, theirs = await unread(client, relay)
        await ours.write(b"words")
        ours.finish()
        await serve_stream(theirs, echo, IN_TIME)
        assert (await ours.read(), await ours.read()) == (b"words", b"")
        await closed(client, relay)


@pytest.mark.parametrize(
    ("raw", "code"), [(b"\x00", StreamCode.BAD_HEADER), (b"\x01\x3f", StreamCode.UNSUPPORTED)], ids=["empty", "unknown"]
)
async def test_a_header_that_is_wrong_is_not_served(raw: bytes, code: StreamCode) -> None:
    async with joined() as (client, relay):
        ours, theirs = await unread(client, relay, Raw(raw))
        await serve_stream(theirs, never, IN_TIME)
        assert await code_of(ours) == code
        await closed(client, relay)


async def test_a_header_that_does_not_come_is_not_waited_for() -> None:
    async with joined() as (client, relay):
        ours, theirs = await unread(client, relay, Raw(b"\x10\x01"))
        await serve_stream(theirs, never, StreamHeaderConfig(timeout=0.001))
        assert await code_of(ours) == StreamCode.TIMEOUT
        await closed(client, relay)


async def test_what_serving_leaves_open_is_ended() -> None:
    async def leave(stream: Stream, header: Header) -> None:
        await stream.write(b"unfinished")

    async with joined() as (client, relay):
        ours, theirs = await unread(client, relay)
        await serve_stream(theirs, leave, IN_TIME)
        assert await code_of(ours) == StreamCode.CANCELLED
        await closed(client, relay)


async def test_a_peer_that_gives_up_is_no_error() -> None:
    async def read(stream: Stream, header: Header) -> None:
        await stream.read()

    async with joined() as (client, relay):
        ours, theirs = await unread(client, relay)
        ours.reset()
        await serve_stream(theirs, read, IN_TIME)
        await closed(client, relay)


async def test_an_error_of_ours_is_told_to_both_sides() -> None:
    async def fail(stream: Stream, header: Header) -> None:
        raise TimeoutError("not the header's")

    async with joined() as (client, relay):
        ours, theirs = await unread(client, relay)
        with pytest.raises(TimeoutError):
            await serve_stream(theirs, fail, IN_TIME)
        assert await code_of(ours) == StreamCode.INTERNAL
        await closed(client, relay)


async def test_cancelling_ends_the_stream() -> None:
    begun = asyncio.Event()

    async def wait(stream: Stream, header: Header) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with joined() as (client, relay):
        ours, theirs = await unread(client, relay)
        task = asyncio.get_running_loop().create_task(serve_stream(theirs, wait, IN_TIME))
        await begun.wait()
        task.cancel()
        assert await code_of(ours) == StreamCode.CANCELLED
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed(client, relay)
