"""The proxy's protocols as a program sees them: each way to ask, and the answers that it is owed."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

from support import socks
from support.mayfly import Tunnel, tunnel
from support.programs import free_port
from support.tcp import echo, serving

GENERAL_FAILURE, NOT_ALLOWED, HOST_UNREACHABLE, REFUSED, COMMAND_NOT_SUPPORTED = 1, 2, 4, 5, 7
EVERYWHERE = ("--allow", "127.0.0.1:*", "--allow", "[::1]:*")


def where(pair: Tunnel) -> tuple[str, int]:
    """The proxy as the socket calls take it."""
    return pair.host, pair.port


async def echoes(connection: socks.Connection) -> None:
    """Prove that the connection reaches an echo server."""
    async with connection, asyncio.timeout(10):
        connection.writer.write(b"are you there?")
        assert await connection.reader.readexactly(14) == b"are you there?"


async def test_socks5_with_each_kind_of_address() -> None:
    async with serving(echo) as four, serving(echo, "::1") as six, tunnel(EVERYWHERE) as pair:
        await echoes(await socks.connect(where(pair), "127.0.0.1", four[1]))
        await echoes(await socks.connect(where(pair), "::1", six[1]))
        await echoes(await socks.connect(where(pair), "localhost", four[1]))


async def test_any_user_and_password_are_accepted_unless_required() -> None:
    async with serving(echo) as server, tunnel() as pair:
        await echoes(await socks.connect(where(pair), *server, auth=("anyone", "anything")))


async def test_the_answer_does_not_tell_where_the_volunteer_connects_from() -> None:
    async with serving(echo) as server, tunnel() as pair:
        connection = await socks.connect(where(pair), *server)
        assert connection.bound == ("0.0.0.0", 0)
        await echoes(connection)


async def test_socks4a() -> None:
    async with serving(echo) as server, tunnel(EVERYWHERE) as pair:
        await echoes(await socks.socks4a(where(pair), "localhost", server[1]))
        with pytest.raises(socks.RefusedError) as caught:
            await socks.socks4a(where(pair), "localhost", free_port())
    assert caught.value.reply == 0x5B


async def test_http_connect() -> None:
    async with serving(echo) as server, tunnel(EVERYWHERE) as pair:
        await echoes(await socks.http_connect(where(pair), f"localhost:{server[1]}"))
        with pytest.raises(socks.RefusedError) as refused:
            await socks.http_connect(where(pair), f"127.0.0.1:{free_port()}")
        with pytest.raises(socks.RefusedError) as forbidden:
            await socks.http_connect(where(pair), "10.0.0.1:80")
    assert refused.value.reply in (502, 503, 504)
    assert forbidden.value.reply == 403


async def test_resolve_and_its_reverse() -> None:
    expected = socket.getnameinfo(("127.0.0.1", 0), socket.NI_NAMEREQD)[0]
    async with tunnel(EVERYWHERE) as pair:
        assert await socks.resolve(where(pair), "localhost") in ("127.0.0.1", "::1")
        assert await socks.resolve(where(pair), "127.0.0.1") == expected


async def test_a_closed_port_is_refused_as_such() -> None:
    async with tunnel() as pair:
        assert await socks.refusal(where(pair), "127.0.0.1", free_port()) == REFUSED


async def test_bind_is_not_supported() -> None:
    async with tunnel() as pair:
        with pytest.raises(socks.RefusedError) as caught:
            await socks.socks5(where(pair), 0x02, "127.0.0.1", 80)
    assert caught.value.reply == COMMAND_NOT_SUPPORTED


@pytest.mark.parametrize("name", ["\x1b[31mred.example", "two\nlines.example", "nul\0.example", "\xff\xfe.example"])
async def test_control_characters_in_a_name_are_refused_and_shown_nowhere(name: str) -> None:
    async with serving(echo) as server, tunnel() as pair:
        assert await socks.refusal(where(pair), name, 80) in (GENERAL_FAILURE, HOST_UNREACHABLE)
        await echoes(await socks.connect(where(pair), *server))
        for process in (pair.client, pair.relay):
            assert not set("\x1b\0\xff") & set(process.program.output)
            assert not process.garbage


async def test_nonsense_on_the_port_ends_that_connection_only() -> None:
    async with serving(echo) as server, tunnel() as pair:
        for nonsense in (b"\0", b"\x05", b"\x16\x03\x01\x02\0\x01\0", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 65536):
            reader, writer = await asyncio.open_connection(*where(pair))
            writer.write(nonsense)
            writer.write_eof()
            try:
                async with asyncio.timeout(10):
                    assert b"are you" not in await reader.read()
            except ConnectionError:
                pass
            finally:
                writer.transport.abort()
        await echoes(await socks.connect(where(pair), *server))


async def test_datagrams_keep_their_borders_and_their_source() -> None:
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    # Not a DatagramTransport: asyncio's before 3.13 sends no empty datagram.
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside.bind(("127.0.0.1", 0))
    outside.setblocking(False)
    destination = outside.getsockname()

    def answer() -> None:
        data, asker = outside.recvfrom(65536)
        outside.sendto(data.upper(), asker)

    loop.add_reader(outside, answer)

    class Collect(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            arrived.put_nowait(data)

    with contextlib.ExitStack() as stack:
        stack.callback(outside.close)
        stack.callback(loop.remove_reader, outside)
        async with tunnel() as pair, await socks.socks5(where(pair), socks.ASSOCIATE, "0.0.0.0", 0) as control:
            here, _ = await loop.create_datagram_endpoint(Collect, remote_addr=control.bound)
            stack.callback(here.close)
            for text in (b"one", b"", b"x" * 1400):
                here.sendto(b"\0\0\0" + socks.address(*destination) + text)
                async with asyncio.timeout(10):
                    host, port, data = socks.parse_address((await arrived.get())[3:])
                assert (host, port, data) == (*destination, text.upper())
