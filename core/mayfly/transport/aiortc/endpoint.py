"""One UDP socket, read and written in batches: many datagrams a system call, and none of them an object of its own.

Where Linux has them, UDP GRO hands over a run of datagrams of one sender at once, and UDP GSO (`UDP_SEGMENT`) sends
such a run with one call. A *run* is datagrams of one size behind one another in one buffer; the last may be shorter.
Where the kernel has neither, a run has one datagram. The socket is driven through `add_reader`, which asyncio and
uvloop both have.

To aioice it is an ordinary datagram transport.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
import threading
from collections import deque
from typing import Any, Protocol

from mayfly.config import KIB, MIB

MAX_RUN = 65_507 - 1_500
"""Bytes of a run that is sent: what one IPv4 datagram can hold, and room to spare for headers of any kind."""

MAX_SEGMENTS = 64
"""Datagrams of a run that is sent: what the oldest kernels with GSO take."""

BUFFERS = ((socket.SO_RCVBUF, 4 * MIB), (socket.SO_SNDBUF, 1 * MIB))
"""What we ask the kernel for; it gives what its own limits allow. A burst that overflows the receiving one is lost, and
costs SCTP a second where no later packet tells of the loss."""

_TURN_BYTES = 128 * KIB
_TURN_READS = 64
"""What one wake-up of the loop reads at most, so that timers and other sockets get their turn."""

_MAX_WAITING = 256 * KIB
"""Bytes that wait for a socket that is full. More are dropped, as a network drops what it cannot carry."""

_LARGEST = 64 * KIB

# Linux's <netinet/udp.h> and <linux/in.h>; Python names none of these.
_SOL_UDP = 17
_UDP_SEGMENT = 103
_UDP_GRO = 104
_LINUX = sys.platform == "linux"
_PROBING = {
    socket.AF_INET: (socket.IPPROTO_IP, 10, 3),  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE
    socket.AF_INET6: (socket.IPPROTO_IPV6, 23, 3),  # IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE
}
_ANCILLARY = socket.CMSG_SPACE(4)
_NO_GSO = (errno.EIO, errno.ENOPROTOOPT, errno.EOPNOTSUPP)
_GSO_TOO_BIG = (errno.EINVAL, errno.EMSGSIZE)

Address = tuple[str, int]


class RunReceiver(Protocol):
    """Who is told. aioice's protocols are that already, but for the two calls with `run` in their names."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""

    def error_received(self, exc: Exception) -> None:
        """The kernel told of an error that ends nothing."""

    def run_received(self, run: memoryview, segment: int, source: Address) -> None:
        """Datagrams of `segment` bytes each, the last perhaps shorter. The buffer is used again after the call."""

    def runs_received(self) -> None:
        """All that one wake-up found has been given to `run_received`."""


class _Scratch(threading.local):
    """One receive buffer for all sockets of a thread: what is in it never outlives one call."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_LARGEST))


_scratch = _Scratch()


class UdpEndpoint(asyncio.DatagramTransport):
    """An open socket. Made by `open_endpoint`; all calls on the loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, receiver: RunReceiver) -> None:
        super().__init__({"socket": sock, "sockname": sock.getsockname()})
        self._loop = loop
        self._socket = sock
        self._receiver = receiver
        self._closing = False
        self._waiting: deque[tuple[bytes, int, Address]] = deque()
        self._waiting_bytes = 0
        self._gso_up_to = _LARGEST if _LINUX else 0
        loop.add_reader(sock.fileno(), self._on_readable)

    # asyncio.DatagramTransport

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Send one datagram, or keep a few while the socket is full."""
        self.send_run(data, len(data), addr)

    def is_closing(self) -> bool:
        """Whether close() was called."""
        return self._closing

    def close(self) -> None:
        """Free the socket; the receiver is told in the loop's next turn. Idempotent."""
        if self._closing:
            return
        self._closing = True
        self._loop.remove_reader(self._socket.fileno())
        if self._waiting:
            self._loop.remove_writer(self._socket.fileno())
            self._waiting.clear()
        self._socket.close()
        self._loop.call_soon(self._receiver.connection_lost, None)

    def abort(self) -> None:
        """Close; nothing waits for long here."""
        self.close()

    def let_fragment(self) -> None:
        """From now on let datagrams that are too large for the path go in fragments."""
        probing = _PROBING.get(self._socket.family)
        if _LINUX and probing is not None:
            self._socket.setsockopt(probing[0], probing[1], 0)  # IP_PMTUDISC_DONT

    # runs

    def send_run(self, run: bytes | memoryview, segment: int, address: Address) -> None:
        """Send datagrams of `segment` bytes that lie behind one another, the last perhaps shorter.

        What the network cannot take is dropped without a word. `run` may be used again after the call.
        """
        if self._closing:
            return
        if self._waiting:
            self._keep(run, segment, address)
        elif (left := self._send(run, segment, address)) is not None:
            self._keep(left, segment, address)
            self._loop.add_writer(self._socket.fileno(), self._on_writable)

    def _send(self, run: bytes | memoryview, segment: int, address: Address) -> bytes | memoryview | None:
        """Send all of a run but what the socket has no room for, which is given back."""
        if segment < len(run) and segment <= self._gso_up_to:
            size = struct.pack("=H", segment)
            try:
                self._socket.sendmsg((run,), ((_SOL_UDP, _UDP_SEGMENT, size),), 0, address)
                return None
            except BlockingIOError:
                return run
            except OSError as error:
                if error.errno in _NO_GSO:
                    self._gso_up_to = 0
                elif error.errno in _GSO_TOO_BIG:
                    # Above what the route takes unfragmented; or the kernel has no GSO, and smaller ones fail too.
                    self._gso_up_to = segment - 1
                else:
                    return None
        for begin in range(0, len(run) or 1, segment or 1):
            try:
                self._socket.sendto(run[begin : begin + segment], address)
            except BlockingIOError:
                return run[begin:]
            except OSError:
                # Too big for the path, no route, refused by a filter: lost, and whoever sent it will notice.
                continue
        return None

    def _keep(self, run: bytes | memoryview, segment: int, address: Address) -> None:
        if self._waiting_bytes + len(run) <= _MAX_WAITING:
            self._waiting.append((bytes(run), segment, address))
            self._waiting_bytes += len(run)

    def _on_writable(self) -> None:
        while self._waiting:
            run, segment, address = self._waiting.popleft()
            self._waiting_bytes -= len(run)
            left = self._send(run, segment, address)
            if left is not None:
                self._waiting.appendleft((bytes(left), segment, address))
                self._waiting_bytes += len(left)
                return
        self._loop.remove_writer(self._socket.fileno())

    def _on_readable(self) -> None:
        view = _scratch.view
        receive, receiver = self._socket.recvmsg_into, self._receiver
        buffers = [view]
        left = _TURN_BYTES
        for _ in range(_TURN_READS):
            try:
                size, ancillary, _flags, source = receive(buffers, _ANCILLARY)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                receiver.error_received(error)
                break
            if size:
                segment = int.from_bytes(ancillary[0][2], sys.byteorder) if ancillary else size
                receiver.run_received(view[:size], segment, (source[0], source[1]))
            left -= size
            if left <= 0 or self._closing:
                break
        receiver.runs_received()


def open_endpoint(loop: asyncio.AbstractEventLoop, receiver: RunReceiver, host: str) -> UdpEndpoint:
    """Bind a free port of an address of ours, and tell the receiver. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        for option, size in BUFFERS:
            sock.setsockopt(socket.SOL_SOCKET, option, size)
        _set_where_known(sock, _SOL_UDP, _UDP_GRO, 1)
        # Never fragmented, whatever the kernel believes of the path: SCTP finds out itself what goes through.
        _set_where_known(sock, *_PROBING[family])
        sock.bind((host, 0))
        endpoint = UdpEndpoint(loop, sock, receiver)
    except BaseException:
        sock.close()
        raise
    receiver.connection_made(endpoint)
    return endpoint


def _set_where_known(sock: socket.socket, level: int, option: int, value: int) -> None:
    if _LINUX:
        try:
            sock.setsockopt(level, option, value)
        except OSError:
            return  # an older kernel: runs then have one datagram
