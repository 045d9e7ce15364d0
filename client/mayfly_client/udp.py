"""UDP ASSOCIATE, RFC 1928 §7: a local UDP socket, and the stream whose datagrams it feeds and empties.

Datagrams are taken only from the address of the TCP connection that asked and, once one has come, only from its
source port.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Any, cast

from mayfly.errors import MayflyError, Reply, StreamResetError
from mayfly.socks import udp
from mayfly.wire.address import AddressError, Destination
from mayfly.wire.header import Answer
from mayfly_client.dialler import Datagrams, Dialler
from mayfly_client.local import datagram_socket


class UdpAssociation(asyncio.DatagramProtocol):
    """One association. `open()`, tell its answer, wait for `ended()`, `close()`.

    `control` is the TCP connection that asked for it. Nothing is queued here: what does not fit is dropped.
    """

    def __init__(self, control: asyncio.Transport) -> None:
        self._local = cast("tuple[Any, ...]", control.get_extra_info("sockname"))
        self._application = cast("tuple[Any, ...]", control.get_extra_info("peername"))[0]
        self._source: tuple[Any, ...] | None = None
        self._socket: asyncio.DatagramTransport | None = None
        self._datagrams: Datagrams | None = None
        self._full = False

    async def open(self, dialler: Dialler) -> Answer:
        """Ask the relay and open the socket. A success holds the socket's address; else nothing is left open."""
        try:
            answer = await self._open(dialler)
        except (MayflyError, OSError):
            answer = Answer(Reply.GENERAL_FAILURE)
        except BaseException:
            self.close()
            raise
        if answer.reply is not Reply.SUCCEEDED:
            self.close()
        return answer

    async def _open(self, dialler: Dialler) -> Answer:
        sock = datagram_socket(self._local)
        bound = sock.getsockname()
        loop = asyncio.get_running_loop()
        self._socket, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
        self._datagrams = await dialler.open_datagrams(self._from_relay)
        answer = await self._datagrams.stream.read_answer()
        if answer.reply is not Reply.SUCCEEDED:
            return answer
        return Answer(Reply.SUCCEEDED, Destination(ip_address(bound[0].partition("%")[0]), bound[1]))

    async def ended(self) -> None:
        """Wait until the relay ends the association."""
        if self._datagrams is None:
            return
        try:
            while await self._datagrams.stream.read():
                pass
        except StreamResetError:
            pass

    def close(self) -> None:
        """Close the socket and reset the stream. Idempotent."""
        if self._socket is not None:
            self._socket.abort()
            self._socket = None
        if self._datagrams is not None:
            self._datagrams.close()
            self._datagrams = None

    # From the application

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Send on what the application sent; drop what is not its own, a fragment, or malformed."""
        if addr[0] != self._application or (self._source is not None and addr != self._source):
            return
        found = udp.decode(data)
        if found is None or self._datagrams is None:
            return
        self._source = addr
        destination, payload = found
        self._datagrams.send(destination.encode() + payload)

    def error_received(self, exc: Exception) -> None:
        """The application's port is closed, or a datagram was too big: datagrams may be lost."""

    def pause_writing(self) -> None:
        """The socket's buffer is full."""
        self._full = True

    def resume_writing(self) -> None:
        """There is room again."""
        self._full = False

    # From the relay

    def _from_relay(self, payload: bytes) -> None:
        if self._socket is None or self._source is None or self._full:
            return
        try:
            found = Destination.decode(payload)
        except AddressError:
            return
        if found is not None:
            source, start = found
            self._socket.sendto(udp.encode(source, payload[start:]), self._source)
