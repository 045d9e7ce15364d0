"""One stream's two faces: awaiting, and a handler."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.errors import Reply, StreamCode, StreamResetError
from mayfly.mux.events import Priority
from mayfly.wire.address import Destination
from mayfly.wire.header import Answer
from support.sessions import CHAT, arrived, joined, opened


class Recorder:
    """A StreamHandler that keeps what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    def stream_readable(self) -> None:
        self.told.put_nowait(("readable", 0))

    def stream_writable(self) -> None:
        self.told.put_nowait(("writable", 0))

    def stream_reset(self, code: int) -> None:
        self.told.put_nowait(("reset", code))

    def stream_stopped(self, code: int) -> None:
        self.told.put_nowait(("stopped", code))


async def test_bytes_behind_the_header_are_kept_in_pieces_of_any_size() -> None:
    async with joined() as (client, relay):
        ours = await client.session.open_stream(CHAT)
        await ours.write(b"0123456789")
        theirs = await arrived(relay)
        assert await theirs.read_header() == CHAT
        assert theirs.take(2) == (b"01", False)
        assert await theirs.read(2) == b"23"
        assert await theirs.read(100) == b"456789"


async def test_answers_carry_reply_and_address() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        answer = Answer(Reply.SUCCEEDED, Destination.parse_host("192.0.2.7", 1234))
        await theirs.answer(answer)
        await theirs.write(b"and more")
        assert await ours.read_answer() == answer
        assert await ours.read() == b"and more"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x00", StreamCode.BAD_HEADER),  # an empty header
        (b"\x01\x3f", StreamCode.UNSUPPORTED),  # a service nobody knows
        (b"\x42\x01", StreamCode.BAD_HEADER),  # 513 bytes announced
        (b"\x02\x01\x09", StreamCode.BAD_HEADER),  # TCP to an unknown address type
    ],
)
async def test_a_wrong_header_resets_both_halves(raw: bytes, code: StreamCode) -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        await ours.write(raw)
        with pytest.raises(StreamResetError) as caught:
            await theirs.read_header()
        assert caught.value.code == code
        with pytest.raises(StreamResetError) as heard:
            await ours.read()
        assert heard.value.code == code


async def test_a_header_that_ends_too_early_resets() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        await ours.write(b"\x05\x01")
        ours.finish()
        with pytest.raises(StreamResetError):
            await theirs.read_header()


async def test_a_handler_is_told_everything() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        recorder = Recorder()
        theirs.attach(recorder)
        await ours.write(b"x")
        assert await recorder.told.get() == ("readable", 0)
        assert theirs.take(10) == (b"x", False)
        size = theirs.put(bytes(10_000_000))
        assert size < 10_000_000
        assert theirs.put(b"more") == 0
        received = 0
        while received < size:
            received += len(await ours.read())
        assert await recorder.told.get() == ("writable", 0)
        ours.reset(StreamCode.TIMEOUT)
        heard = {await recorder.told.get(), await recorder.told.get()}
        assert heard == {("reset", StreamCode.TIMEOUT), ("stopped", StreamCode.TIMEOUT)}
        with pytest.raises(StreamResetError):
            theirs.take(1)
        with pytest.raises(StreamResetError):
            theirs.put(b"x")


async def test_our_own_reset_wakes_our_own_waiters() -> None:
    async with joined() as (client, relay):
        ours, _theirs = await opened(client, relay)
        loop = asyncio.get_running_loop()
        reading = loop.create_task(ours.read())
        writing = loop.create_task(ours.write(bytes(50_000_000)))
        await asyncio.sleep(0)
        ours.reset(StreamCode.LIMIT)
        for task in (reading, writing):
            with pytest.raises(StreamResetError) as caught:
                await task
            assert caught.value.code == StreamCode.LIMIT


async def test_a_wrong_answer_resets_both_halves() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        await theirs.write(b"\x01\xff")
        with pytest.raises(StreamResetError) as caught:
            await ours.read_answer()
        with pytest.raises(StreamResetError) as heard:
            await theirs.read()
        assert caught.value.code == heard.value.code == StreamCode.BAD_HEADER


async def test_who_writes_more_than_there_is_room_for_goes_on_as_it_is_read() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        assert ours.room() > 0
        writing = asyncio.get_running_loop().create_task(ours.write(bytes(5_000_000)))
        await asyncio.sleep(0)
        assert ours.room() == 0
        received = 0
        while received < 5_000_000:
            received += len(await theirs.read())
        await writing


async def test_a_reset_behind_the_end_takes_nothing_back_of_what_was_handed_over() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        ours.put(bytes(50_000))
        ours.finish()
        ours.reset()
        received = 0
        while data := await theirs.read():
            received += len(data)
        assert received == 50_000


async def test_the_first_code_of_an_end_is_the_one_that_is_told() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        theirs.reset(7)
        with pytest.raises(StreamResetError):
            await ours.read()
        ours.reset(9)
        for ask in (lambda: ours.take(1), lambda: ours.put(b"x")):
            with pytest.raises(StreamResetError) as caught:
                ask()
            assert caught.value.code == 7


@pytest.mark.parametrize("ended", ["ours", "theirs"])
async def test_a_lost_session_is_told_of_the_half_that_was_open_alone(ended: str) -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        recorder = Recorder()
        if ended == "theirs":
            theirs.finish()
            assert await ours.read() == b""
            ours.attach(recorder)
        else:
            ours.attach(recorder)
            relay.session.stop(theirs, 7)
            assert await recorder.told.get() == ("stopped", 7)
        client.link.cut()
        await client.session.wait_closed()
        assert recorder.told.get_nowait()[0] == ("stopped" if ended == "theirs" else "reset")
        assert recorder.told.empty()
        if ended == "theirs":
            assert ours.take(1) == (b"", True)
        else:
            with pytest.raises(StreamResetError) as caught:
                ours.put(b"x")
            assert caught.value.code == 7


async def test_a_handler_is_not_told_of_our_own_reset() -> None:
    async with joined() as (client, relay):
        ours, _theirs = await opened(client, relay)
        recorder = Recorder()
        ours.attach(recorder)
        ours.reset()
        await client.session.wait_idle()
        assert recorder.told.empty()


async def test_who_has_said_all_still_hears() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        ours.finish()
        assert await theirs.read() == b""
        reading = asyncio.get_running_loop().create_task(ours.read())
        await asyncio.sleep(0)
        await theirs.write(b"late")
        assert await reading == b"late"


@pytest.mark.parametrize(
    "how", ["finished", "finished last", "reset by us", "reset by the peer", "reset behind our end"]
)
async def test_a_stream_that_is_over_is_forgotten(how: str) -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        assert client.session._streams == {ours.id: ours}
        if how == "finished":
            ours.finish()
            theirs.finish()
            assert await ours.read() == await theirs.read() == b""
        elif how == "finished last":
            theirs.finish()
            assert await ours.read() == b""
            ours.finish()
            assert await theirs.read() == b""
        else:
            if how == "reset behind our end":
                ours.finish()
                assert await theirs.read() == b""
            (ours if how == "reset by us" else theirs).reset()
            await asyncio.gather(client.session.wait_idle(), relay.session.wait_idle())
            with pytest.raises(StreamResetError):
                await ours.read()
        assert client.session._streams == relay.session._streams == {}


async def test_finish_and_reset_may_be_repeated() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        ours.finish()
        ours.finish()
        theirs.finish()
        assert await ours.read() == b""
        assert await theirs.read() == b""
        assert await theirs.read() == b""
        ours.reset()
        ours.reset()
        await asyncio.gather(client.session.wait_idle(), relay.session.wait_idle())


async def test_nothing_is_put_where_the_peer_wants_no_more() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        recorder = Recorder()
        ours.attach(recorder)
        theirs.reset(7)
        while await recorder.told.get() != ("stopped", 7):
            pass
        for ask in (ours.room, lambda: ours.put(b"x")):
            with pytest.raises(StreamResetError) as caught:
                ask()
            assert caught.value.code == 7


async def test_a_stream_of_the_chat_keeps_no_session_busy() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        assert client.session.open_streams == relay.session.open_streams == 1
        for stream in (ours, theirs):
            stream.set_priority(Priority.CHAT)
        assert client.session.open_streams == relay.session.open_streams == 0
        await asyncio.gather(client.session.wait_idle(), relay.session.wait_idle())
        await ours.write(b"still there")
        assert await theirs.read() == b"still there"


async def test_there_is_nothing_to_move_of_a_stream_that_is_over() -> None:
    async with joined() as (client, relay):
        ours, theirs = await opened(client, relay)
        ours.reset()
        await asyncio.gather(client.session.wait_idle(), relay.session.wait_idle())
        for stream in (ours, theirs):
            stream.set_priority(Priority.CHAT)
        assert client.session.open_streams == relay.session.open_streams == 0


async def test_a_stream_that_is_half_over_may_be_moved() -> None:
    async with joined() as (client, relay):
        ours, _theirs = await opened(client, relay)
        ours.finish()
        ours.set_priority(Priority.CHAT)
        assert client.session.open_streams == 0
