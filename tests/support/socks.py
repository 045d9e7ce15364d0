"""A small proxy client written from RFC 1928 and friends alone, so that it shares no mistake with the product."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

CONNECT, ASSOCIATE, RESOLVE, RESOLVE_PTR = 0x01, 0x03, 0xF0, 0xF1
TIMEOUT = 30.0


class RefusedError(Exception):
    """The proxy refused. `reply` is REP (SOCKS5), the reply code (SOCKS4) or the status (HTTP)."""

    def __init__(self, reply: int) -> None:
        super().__init__(f"the proxy refused with {reply:#04x}")
        self.reply = reply


@dataclass(slots=True)
class Connection:
    """A connection through the proxy. `bound` is BND.ADDR and BND.PORT."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    bound: tuple[str, int] = ("", 0)

    async def __aenter__(self) -> Connection:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    @property
    def socket(self) -> socket.socket:
        """The socket beneath, for options."""
        found = self.writer.get_extra_info("socket")
        assert found is not None
        return found  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close it in order."""
        self.writer.close()

    def reset(self) -> None:
        """Abort it with RST: linger zero."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.writer.transport.abort()


def address(host: str, port: int) -> bytes:
    """ATYP, address, port. What is not an address is sent as a name."""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        name = host.encode("latin-1")
        return b"\x03" + bytes([len(name)]) + name + port.to_bytes(2, "big")
    return (b"\x01" if parsed.version == 4 else b"\x04") + parsed.packed + port.to_bytes(2, "big")


def parse_address(data: bytes) -> tuple[str, int, bytes]:
    """The reverse, with what follows."""
    if data[0] == 3:
        end = 2 + data[1]
        return data[2:end].decode("latin-1"), int.from_bytes(data[end : end + 2], "big"), data[end + 2 :]
    end = 5 if data[0] == 1 else 17
    return str(ipaddress.ip_address(data[1:end])), int.from_bytes(data[end : end + 2], "big"), data[end + 2 :]


async def _read_address(reader: asyncio.StreamReader) -> tuple[str, int]:
    kind = (await reader.readexactly(1))[0]
    if kind == 3:
        size = (await reader.readexactly(1))[0]
        host = (await reader.readexactly(size)).decode("latin-1")
    else:
        host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
    return host, int.from_bytes(await reader.readexactly(2), "big")


@contextlib.asynccontextmanager
async def _dialled(proxy: tuple[str, int], timeout: float) -> AsyncIterator[Connection]:
    """A connection to the proxy that is closed if what follows fails."""
    async with asyncio.timeout(timeout):
        connection = Connection(*await asyncio.open_connection(*proxy))
        try:
            yield connection
        except BaseException:
            connection.writer.transport.abort()
            raise


async def socks5(
    proxy: tuple[str, int],
    command: int,
    host: str,
    port: int,
    auth: tuple[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Connection:
    """One SOCKS5 request. Raises RefusedError with REP, or with 0xFF when the method or the password is refused."""
    async with _dialled(proxy, timeout) as connection:
        reader, writer = connection.reader, connection.writer
        writer.write(b"\x05\x01\x02" if auth else b"\x05\x01\x00")
        version, method = await reader.readexactly(2)
        if version != 5 or method == 0xFF:
            raise RefusedError(0xFF)
        if method == 2 and auth:
            user, password = (text.encode() for text in auth)
            writer.write(b"\x01" + bytes([len(user)]) + user + bytes([len(password)]) + password)
            if (await reader.readexactly(2))[1]:
                raise RefusedError(0xFF)
        writer.write(bytes([5, command, 0]) + address(host, port))
        _, reply, _ = await reader.readexactly(3)
        if reply:
            raise RefusedError(reply)
        connection.bound = await _read_address(reader)
    return connection


async def connect(
    proxy: tuple[str, int],
    host: str,
    port: int,
    auth: tuple[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Connection:
    """SOCKS5 CONNECT."""
    return await socks5(proxy, CONNECT, host, port, auth, timeout)


async def refusal(proxy: tuple[str, int], host: str, port: int, timeout: float = TIMEOUT) -> int:
    """The REP with which a CONNECT is refused, or 0 if it was not."""
    try:
        async with await connect(proxy, host, port, timeout=timeout):
            return 0
    except RefusedError as error:
        return error.reply


async def resolve(proxy: tuple[str, int], what: str) -> str:
    """Tor's RESOLVE, or RESOLVE_PTR when an address is given."""
    try:
        ipaddress.ip_address(what)
        command = RESOLVE_PTR
    except ValueError:
        command = RESOLVE
    async with await socks5(proxy, command, what, 0) as connection:
        return connection.bound[0]


async def socks4a(proxy: tuple[str, int], host: str, port: int, user: str = "someone") -> Connection:
    """SOCKS4a CONNECT by name. Raises RefusedError with the reply code (0x5B and up)."""
    async with _dialled(proxy, TIMEOUT) as connection:
        request = b"\x04\x01" + port.to_bytes(2, "big") + b"\0\0\0\x01" + user.encode() + b"\0" + host.encode() + b"\0"
        connection.writer.write(request)
        answer = await connection.reader.readexactly(8)
        if answer[:2] != b"\x00\x5a":
            raise RefusedError(answer[1])
    return connection


async def http_connect(proxy: tuple[str, int], authority: str) -> Connection:
    """HTTP CONNECT. Raises RefusedError with the status."""
    async with _dialled(proxy, TIMEOUT) as connection:
        connection.writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        head = await connection.reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status != 200:
            raise RefusedError(status)
    return connection


class UdpForwarder(asyncio.DatagramProtocol):
    """A local UDP port whose datagrams go to one destination through UDP ASSOCIATE, for programs without SOCKS."""

    def __init__(self, destination: tuple[str, int]) -> None:
        self._header = b"\0\0\0" + address(*destination)
        self._asker: tuple[str, int] | None = None
        self._outside: asyncio.DatagramTransport | None = None
        self._local: asyncio.DatagramTransport | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, proxy: tuple[str, int], destination: tuple[str, int]) -> AsyncIterator[int]:
        """Give the local port while the block lasts. The association ends with the block."""
        loop = asyncio.get_running_loop()
        async with await socks5(proxy, ASSOCIATE, "0.0.0.0", 0) as control:
            self = cls(destination)
            self._local, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
            relay = (proxy[0] if control.bound[0] == "0.0.0.0" else control.bound[0], control.bound[1])
            self._outside, _ = await loop.create_datagram_endpoint(lambda: _Back(self), remote_addr=relay)
            try:
                yield self._local.get_extra_info("sockname")[1]
            finally:
                self._local.close()
                self._outside.close()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._asker = addr
        if self._outside is not None:
            self._outside.sendto(self._header + data)

    def came_back(self, data: bytes) -> None:
        """A datagram from the proxy: RSV, FRAG, source, data (RFC 1928 §7)."""
        if self._asker is not None and self._local is not None and data[:3] == b"\0\0\0":
            self._local.sendto(parse_address(data[3:])[2], self._asker)


class _Back(asyncio.DatagramProtocol):
    def __init__(self, owner: UdpForwarder) -> None:
        self._owner = owner

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._owner.came_back(data)
