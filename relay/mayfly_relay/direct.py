"""The upstream `direct`: connections go from the volunteer's machine straight to the destination."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Sequence
from ipaddress import IPv4Address

# Its annotations hold a bare `tuple`.
from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.addresses import Address
from mayfly_relay.guard import Guard
from mayfly_relay.outgoing import open_socket
from mayfly_relay.upstream import connect_error

AddrInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]

_UNDECIDED = (errno.EINPROGRESS, errno.EALREADY)
_TELLS_AGAIN = sys.platform == "linux"
"""Whether a second `connect` tells how the first one went. BSD's may begin anew where it was refused."""

ATTEMPT_DELAY = 0.25
"""Seconds between attempts on a destination's addresses: RFC 8305 §5's Connection Attempt Delay."""


class DirectUpstream:
    """Resolves, checks, and connects to exactly the addresses that were checked."""

    def __init__(self, guard: Guard, *, timeout: float = 20.0, outbound: Sequence[Address] = ()) -> None:
        self._guard = guard
        self._timeout = timeout
        # With some, a family that has none is not used: its packets would leave by another network than was chosen.
        self._outbound = [addr_info(address, 0) for address in outbound] or None

    async def connect(self, destination: Destination) -> socket.socket:
        """A connected, non-blocking TCP socket to the first address that answers (RFC 8305). Raises UpstreamError."""
        addresses = await self._guard.admit(destination)
        infos = [addr_info(address, destination.port) for address in addresses]
        if self._outbound is not None:
            families = {info[0] for info in self._outbound}
            infos = [info for info in infos if info[0] in families]
            if not infos:
                raise UpstreamError(Reply.NETWORK_UNREACHABLE, "no outbound address is of the destination's family")
        # Only literal addresses get this far, so the connect below cannot resolve anything anew.
        try:
            if len(infos) == 1 and self._outbound is None:
                sock = await connect_one(infos[0], self._timeout)
            else:
                reachable = [info for info in infos if _has_route(info)]
                async with asyncio.timeout(self._timeout):
                    sock = await start_connection(
                        reachable or infos,
                        happy_eyeballs_delay=ATTEMPT_DELAY,
                        local_addr_infos=self._outbound,
                        socket_factory=socket_for,
                    )
        except (OSError, RuntimeError) as error:
            raise connect_error(error) from None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:  # the far end has reset it already
            sock.close()
            raise connect_error(error) from None
        return sock

    async def resolve(self, destination: Destination) -> Destination:
        """Look up a name or an address. Raises UpstreamError."""
        return await self._guard.look_up(destination)


def addr_info(address: Address, port: int) -> AddrInfo:
    """An address as the connect functions of asyncio and aiohappyeyeballs take it."""
    if isinstance(address, IPv4Address):
        return socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port)
    return socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port, 0, 0)


def socket_for(info: AddrInfo) -> socket.socket:
    """A new socket for a connection there. Raises OSError, as open_socket does."""
    return open_socket(info[0], info[1], info[2])


async def connect_one(info: AddrInfo, seconds: float | None = None) -> socket.socket:
    """Connect to one address, waiting for it that long at most. Raises OSError.

    uvloop's own `sock_connect` asks a thread to resolve even an address.
    """
    loop = asyncio.get_running_loop()
    sock = socket_for(info)
    try:
        sock.setblocking(False)
        failure = sock.connect_ex(info[4])
        if failure == errno.EINPROGRESS and _TELLS_AGAIN:
            failure = sock.connect_ex(info[4])  # what came of the first: a near destination has answered by now
        if failure in _UNDECIDED:
            decided = asyncio.Event()
            loop.add_writer(sock, decided.set)
            try:
                async with asyncio.timeout(seconds):
                    await decided.wait()
            finally:
                loop.remove_writer(sock)
            failure = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            raise OSError(failure, os.strerror(failure))
    except BaseException:
        sock.close()
        raise
    return sock


def _has_route(info: AddrInfo) -> bool:
    """Whether this machine knows a way to that address; nothing is sent.

    Without this, a machine that has no IPv6 would report every refused connection to a dual-stack destination as a
    mix of "network unreachable" and "refused", and the client's application would be told neither.
    """
    try:
        with socket.socket(info[0], socket.SOCK_DGRAM) as probe:
            probe.connect(info[4])
    except OSError:
        return False
    return True
