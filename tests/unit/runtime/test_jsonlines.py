"""JSON lines over a socket pair, with descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import ControlError
from mayfly.runtime import jsonlines
from mayfly.runtime.jsonlines import MAX_DESCRIPTORS, MAX_LINE, MAX_WAITING, JsonLines
from support.spoilt import spoilt


@contextlib.contextmanager
def pair() -> Iterator[tuple[JsonLines, JsonLines]]:
    near, far = (JsonLines(sock) for sock in socket.socketpair(socket.AF_UNIX))
    try:
        yield near, far
    finally:
        near.close()
        far.close()


@contextlib.contextmanager
def raw() -> Iterator[tuple[JsonLines, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    lines = JsonLines(ours)
    try:
        yield lines, theirs
    finally:
        lines.close()
        theirs.close()


async def test_objects_arrive_in_order_and_then_the_end() -> None:
    with pair() as (near, far):
        for number in range(3):
            near.send({"number": number, "text": "ä\u202e\n"})
        await near.flush()
        near.close()
        assert [await far.read() for _ in range(3)] == [{"number": n, "text": "ä\u202e\n"} for n in range(3)]
        assert await far.read() is None


async def test_a_reader_waits_for_a_line_that_comes_in_pieces() -> None:
    with raw() as (lines, sock):
        reading = asyncio.get_running_loop().create_task(lines.read())
        for piece in (b'{"a"', b":1}", b"\n"):
            sock.send(piece)
            await asyncio.sleep(0)
        assert await reading == {"a": 1}


async def test_what_is_bigger_than_the_sockets_buffer_goes_through() -> None:
    with pair() as (near, far):
        for number in range(4):
            near.send({"n": number, "pad": "x" * 700_000})
        assert near.waiting > 0
        for number in range(4):
            message = await far.read()
            assert message is not None
            assert message["n"] == number
        await near.flush()
        assert near.waiting == 0


async def test_a_reader_that_has_stopped_loses_the_connection() -> None:
    with pair() as (near, _far):
        for _ in range(MAX_WAITING // 500_000 + 3):
            near.send({"pad": "x" * 500_000})
        assert near.closed
        assert near.waiting == 0
        await near.flush()
        near.send({})  # and nothing is raised


async def test_a_line_without_end_is_refused() -> None:
    with raw() as (lines, sock):
        sock.setblocking(False)
        reading = asyncio.get_running_loop().create_task(lines.read())
        piece = b"x" * 65536
        for _ in range(MAX_LINE // len(piece) + 1):
            await asyncio.get_running_loop().sock_sendall(sock, piece)
        with pytest.raises(ControlError, match="too long"):
            await reading


@pytest.mark.parametrize("line", [b"nonsense\n", b"[1]\n", b"\xff\n", b"[" * 5000 + b"\n", b"\n", b"1\n"])
async def test_what_is_no_object_is_refused(line: bytes) -> None:
    with raw() as (lines, sock):
        sock.send(line)
        with pytest.raises(ControlError):
            await lines.read()


objects = st.dictionaries(st.text(max_size=9), st.integers() | st.text(max_size=9), max_size=4)


@given(data=st.binary(max_size=300) | spoilt(objects.map(lambda value: json.dumps(value).encode() + b"\n")))
def test_any_bytes_give_objects_or_the_documented_error(data: bytes) -> None:
    async def run() -> None:
        with raw() as (lines, sock):
            sock.send(data or b"\n")
            sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ControlError):
                while (value := await lines.read()) is not None:
                    assert isinstance(value, dict)

    with asyncio.Runner() as runner:
        runner.run(run())


async def test_a_descriptor_comes_with_its_line() -> None:
    with pair() as (near, far):
        reading, writing = os.pipe()
        near.send({"fds": 1}, [reading])
        await near.flush()
        os.close(reading)
        assert await far.read() == {"fds": 1}
        (received,) = far.take_descriptors(1)
        assert not os.get_inheritable(received)
        os.write(writing, b"through")
        assert os.read(received, 10) == b"through"
        os.close(received)
        os.close(writing)


async def test_descriptors_that_nobody_takes_are_closed() -> None:
    with pair() as (near, far):
        reading, writing = os.pipe()
        near.send({}, [writing] * (MAX_DESCRIPTORS))
        near.send({}, [writing] * (MAX_DESCRIPTORS))
        await near.flush()
        os.close(writing)
        assert await far.read() == {}
        assert await far.read() == {}
        far.close()
        assert os.read(reading, 1) == b""  # no copy of the writing end is left
        os.close(reading)


async def test_more_descriptors_than_came_cannot_be_taken() -> None:
    with pair() as (_near, far):
        for count in (1, -1):
            with pytest.raises(ControlError, match="open file"):
                far.take_descriptors(count)


async def test_close_wakes_a_reader_of_its_own() -> None:
    with pair() as (near, _far):
        reading = asyncio.get_running_loop().create_task(near.read())
        await asyncio.sleep(0)
        near.close()
        near.close()
        assert await reading is None


async def test_a_peer_that_is_gone_is_an_end_and_no_error() -> None:
    with pair() as (near, far):
        far.close()
        near.send({"a": 1})
        near.send({"a": 2})
        assert near.closed
        assert await near.read() is None


def test_lines_are_ascii_so_that_any_terminal_can_show_them() -> None:
    assert json.dumps("\u202e").isascii()
    assert jsonlines.MAX_LINE < jsonlines.MAX_WAITING
