"""What a splice does with the room that there is: reading held back, bytes that wait, ends that come meanwhile."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from mayfly.config import SpliceConfig
from mayfly.errors import StreamCode, StreamResetError
from mayfly.runtime.splice import Splice
from mayfly.runtime.stream import Stream


class Cramped:
    """A stream that takes no more than so many bytes."""

    def __init__(self, room: int) -> None:
        self.scratch = memoryview(bytearray(100))
        self.left = room
        self.got = b""
        self.finished = False
        self.stopped = False
        self.ended = False

    def attach(self, handler: Splice) -> None:
        pass

    def room(self) -> int:
        return self.left

    def put(self, data: bytes) -> int:
        if self.stopped:
            raise StreamResetError(StreamCode.CANCELLED)
        taken = min(self.left, len(data))
        self.got += data[:taken]
        self.left -= taken
        return taken

    def take(self, limit: int) -> tuple[bytes, bool]:
        return b"", self.ended

    def finish(self) -> None:
        self.finished = True


class Tcp(asyncio.Transport):
    """A connection whose reading is all that is looked at. It is read from the start, unless a splice begins paused."""

    def __init__(self, *, reading: bool = True) -> None:
        super().__init__()
        self.reading = reading
        self.closing = False
        self.high: int | None = None

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def write_eof(self) -> None:
        raise OSError("the other side has reset it")

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


@pytest.mark.parametrize(("room", "read"), [(7, 7), (1000, 100), (0, 1)])
async def test_tcp_is_read_no_further_than_the_stream_has_room(room: int, read: int) -> None:
    assert len(Splice(cast("Stream", Cramped(room))).get_buffer(-1)) == read


async def test_what_the_stream_does_not_take_waits_for_room_and_reading_and_the_end_with_it() -> None:
    stream, tcp = Cramped(4), Tcp(reading=False)
    splice = Splice(cast("Stream", stream), paused=True)
    splice.connection_made(tcp, b"0123456789")
    assert (stream.got, tcp.reading) == (b"0123", False)
    splice.eof_received()
    stream.left = 3
    splice.stream_writable()
    assert (stream.got, stream.finished) == (b"0123456", False)
    stream.left = 100
    splice.stream_writable()
    assert (stream.got, stream.finished, tcp.reading) == (b"0123456789", True, False)


async def test_tcp_is_not_read_while_anything_of_it_waits_for_room() -> None:
    stream, tcp = Cramped(4), Tcp(reading=False)
    splice = Splice(cast("Stream", stream), paused=True)
    splice.connection_made(tcp, b"0123456789")
    stream.left = 3
    splice.stream_writable()
    assert (stream.got, tcp.reading) == (b"0123456", False)
    stream.left = 100
    splice.stream_writable()
    assert (stream.got, tcp.reading) == (b"0123456789", True)


async def test_what_waits_for_tcp_is_bounded() -> None:
    tcp = Tcp()
    Splice(cast("Stream", Cramped(4))).connection_made(tcp)
    assert tcp.high == SpliceConfig().write_high


async def test_a_connection_that_is_closing_is_given_nothing_and_nothing_of_it_is_passed_on() -> None:
    """The loops log a warning for each of many writes to one."""
    stream, tcp = Cramped(100), Tcp()
    tcp.closing = stream.ended = True
    Splice(cast("Stream", stream)).connection_made(tcp, b"early")
    assert stream.got == b""


async def test_an_end_for_a_connection_that_was_reset_just_now_is_no_error() -> None:
    stream = Cramped(4)
    splice = Splice(cast("Stream", stream))
    splice.connection_made(Tcp())
    stream.ended = True
    splice.stream_readable()


async def test_a_full_stream_pauses_tcp_until_there_is_room() -> None:
    stream, tcp = Cramped(4), Tcp()
    splice = Splice(cast("Stream", stream))
    splice.connection_made(tcp)
    splice.get_buffer(-1)[:4] = b"0123"
    splice.buffer_updated(4)
    assert (stream.got, tcp.reading) == (b"0123", False)
    stream.left = 100
    splice.stream_writable()
    assert tcp.reading


async def test_a_stream_that_was_stopped_unheard_is_found_so_and_tcp_is_read_and_dropped() -> None:
    stream, tcp = Cramped(4), Tcp(reading=False)
    stream.stopped = True  # whoever handled it before this splice was told
    splice = Splice(cast("Stream", stream), paused=True)
    splice.connection_made(tcp, b"early")
    assert tcp.reading
    assert len(splice.get_buffer(-1)) == 100
    splice.buffer_updated(100)
    assert (stream.got, tcp.reading) == (b"", True)


@contextmanager
def connected(stream: Cramped) -> Iterator[tuple[Splice, socket.socket, socket.socket]]:
    """A splice with the socket of its connection, and the far end of that."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        splice = Splice(cast("Stream", stream), sock=ours)
        splice.connection_made(Tcp())
        yield splice, ours, theirs


@pytest.mark.parametrize("ended", [True, False])
async def test_an_end_that_came_behind_the_bytes_goes_with_them(ended: bool) -> None:
    stream = Cramped(100)
    with connected(stream) as (splice, ours, theirs):
        theirs.send(b"0123")
        if ended:
            theirs.shutdown(socket.SHUT_WR)
        splice.buffer_updated(ours.recv_into(splice.get_buffer(-1)))
        assert (stream.got, stream.finished) == (b"0123", ended)


async def test_an_end_is_not_looked_for_behind_a_full_buffer() -> None:
    stream = Cramped(4)
    with connected(stream) as (splice, _, theirs):
        theirs.close()
        splice.get_buffer(-1)[:] = b"0123"
        splice.buffer_updated(4)
        assert (stream.got, stream.finished) == (b"0123", False)
