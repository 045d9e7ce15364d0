"""The way to a bridge's extended ORPort, against a small bridge on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from mayfly.errors import Reply, UpstreamError, UsageError
from mayfly.pt.extended import COOKIE_HEADER
from mayfly_relay import extorport
from mayfly_relay.extorport import CoarseAddress, ExtendedPort

COOKIE = bytes(range(32))

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, cookie: Path) -> AsyncIterator[ExtendedPort]:
    """A bridge that serves each connection so."""
    done = asyncio.Event()
    done.set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        done.clear()
        with contextlib.suppress(EOFError, ConnectionError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        done.set()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield ExtendedPort(ip_address("127.0.0.1"), server.sockets[0].getsockname()[1], cookie)
    finally:
        await done.wait()
        server.close()
        await server.wait_closed()


@pytest.fixture
def cookie(tmp_path: Path) -> Path:
    path = tmp_path / "extended_orport_auth_cookie"
    path.write_bytes(COOKIE_HEADER + COOKIE)
    return path


class Bridge:
    """Does as the specification says, and echoes in upper case what comes over the OR connection."""

    def __init__(self, reply: bytes = bytes.fromhex("10000000")) -> None:
        self.told: dict[int, bytes] = {}
        self._reply = reply

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\1")
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(b"\0")
        assert await reader.readexactly(1) == b"\1"
        nonce, own = await reader.readexactly(32), b"s" * 32
        writer.write(self._hash("server-to-client", nonce + own) + own)
        assert await reader.readexactly(32) == self._hash("client-to-server", nonce + own)
        writer.write(b"\1")
        number = -1
        while number != 0:
            number = int.from_bytes(await reader.readexactly(2), "big")
            self.told[number] = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        writer.write(self._reply)
        if data := await reader.read(100):
            writer.write(data.upper())

    def _hash(self, direction: str, nonces: bytes) -> bytes:
        return hmac.digest(COOKIE, f"ExtORPort authentication {direction} hash".encode() + nonces, hashlib.sha256)


async def exchange(sock: socket.socket, data: bytes) -> bytes:
    """Say something on the OR connection."""
    with sock:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(sock, data)
        return await loop.sock_recv(sock, 100)


async def test_the_bridge_is_told_the_transport_and_nothing_of_the_client(cookie: Path) -> None:
    bridge = Bridge()
    async with listening(bridge.serve, cookie) as port:
        assert await exchange(await port.connect(), b"hello") == b"HELLO"
    assert bridge.told == {2: b"mayfly", 0: b""}


async def test_a_coarse_address_is_told_when_it_is_given(cookie: Path) -> None:
    bridge = Bridge()
    async with listening(bridge.serve, cookie) as port:
        await exchange(await port.connect("203.0.0.0:1"), b"hello")
    assert bridge.told == {1: b"203.0.0.0:1", 2: b"mayfly", 0: b""}


async def test_a_bridge_that_wants_nobody(cookie: Path) -> None:
    async with listening(Bridge(bytes.fromhex("10010000")).serve, cookie) as port:
        with pytest.raises(UpstreamError, match="no more connections") as raised:
            await port.connect()
    assert raised.value.reply is Reply.GENERAL_FAILURE


async def test_a_program_that_hangs_up(cookie: Path) -> None:
    async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        pass

    async with listening(serve, cookie) as port:
        with pytest.raises(UpstreamError):
            await port.connect()


async def test_a_program_that_says_nothing(cookie: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extorport, "TIMEOUT", 0.01)

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(serve, cookie) as port:
        with pytest.raises(UpstreamError) as raised:
            await port.connect()
    assert raised.value.reply is Reply.TTL_EXPIRED


async def test_no_bridge(cookie: Path) -> None:
    async with listening(Bridge().serve, cookie) as port:
        pass
    with pytest.raises(UpstreamError) as raised:
        await port.connect()
    assert raised.value.reply is Reply.CONNECTION_REFUSED


async def test_no_socket_for_it(cookie: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_args: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "x")

    monkeypatch.setattr(extorport, "open_socket", none)
    with pytest.raises(UpstreamError):
        await ExtendedPort(ip_address("::1"), 9, cookie).connect()


async def test_a_cookie_that_is_gone_or_wrong(cookie: Path) -> None:
    async with listening(Bridge().serve, cookie) as port:
        port.check()
        cookie.write_bytes(b"something else")
        with pytest.raises(UpstreamError, match="cookie file"):
            await port.connect()
        with pytest.raises(UsageError, match="--ext-or-cookie: the cookie file is not one"):
            port.check()
        cookie.unlink()
        with pytest.raises(UsageError, match="cannot be read"):
            port.check()


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("203.0.113.77", "203.0.0.0:1"),
        ("2001:db8:1:2::3", "[2001:db8::]:1"),
    ],
)
def test_a_coarse_address(address: str, told: str) -> None:
    assert CoarseAddress(16, 32).of(ip_address(address)) == told


def test_an_address_that_is_not_known_is_not_told() -> None:
    assert CoarseAddress(16, 32).of(None) is None
