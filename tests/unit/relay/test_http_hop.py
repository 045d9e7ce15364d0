from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.wire.address import Destination
from mayfly_relay import http_hop
from mayfly_relay.http_hop import MAX_HEAD, HttpRefusedError, connect_request, parse_answer

PLACE = Destination.parse_host("example.com", 443)


def test_the_request() -> None:
    assert connect_request(PLACE) == b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"
    assert b"CONNECT [2606::1]:80 HTTP" in connect_request(Destination.parse_host("2606::1", 80))
    assert b"\r\nProxy-Authorization: Basic YW5uYTpi\r\n\r\n" in connect_request(PLACE, "anna", "b")


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"HTTP/1.1 407 Who are you\r\n\r\n", 407),
        (b"HTTP/1.0 502\r\n\r\n", 502),
        (b"SSH-2.0-OpenSSH\r\n\r\n", None),
        (b"HTTP/1.1 20 OK\r\n\r\n", None),
        (b"\r\n\r\n", None),
    ],
)
def test_refusals(head: bytes, status: int | None) -> None:
    with pytest.raises(HttpRefusedError) as caught:
        parse_answer(head)
    assert caught.value.status == status


@given(st.binary(max_size=200))
def test_any_head_is_a_consent_or_a_refusal(head: bytes) -> None:
    try:
        parse_answer(head)
    except HttpRefusedError as error:
        assert error.status is None or not 200 <= error.status < 300


async def answered(*pieces: bytes) -> socket.socket:
    """Our end, after a proxy has answered in these pieces, and the end too where the last is empty."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    async def proxy() -> None:
        reader, writer = await asyncio.open_connection(sock=theirs)
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(OSError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        writer.close()

    try:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            group.create_task(proxy())
            await http_hop.connect(ours, PLACE)
    except BaseException:
        ours.close()
        theirs.close()
        raise
    return ours


async def test_exactly_the_head_is_read() -> None:
    """However it is cut, and whatever the destination says at once."""
    with await answered(b"HTTP/1.1 200 OK\r\nVia: ", b"x\r\n\r", b"\nSSH-2.0-first words") as sock:
        assert sock.recv(100) == b"SSH-2.0-first words"


@pytest.mark.parametrize("pieces", [(b"HTTP/1.1 200",), (b"x" * (MAX_HEAD + 1),)], ids=["cut short", "endless"])
async def test_what_is_no_answer(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await answered(*pieces)
    assert caught.group_contains(HttpRefusedError)
