"""Connections through proxies, one or a chain of them. The only module that knows python-socks.

Of all names, only that of the first proxy is resolved here; it is the volunteer's. The names of further proxies and of
destinations are passed on as they are.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

# Its annotations hold a bare `tuple`.
from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]
from python_socks import ProxyError, ProxyType
from python_socks.async_.asyncio import Proxy

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly.wire.enums import member
from mayfly_relay import http_hop
from mayfly_relay.direct import ATTEMPT_DELAY, addr_info, socket_for
from mayfly_relay.http_hop import HttpRefusedError
from mayfly_relay.resolver import Resolver
from mayfly_relay.upstream_urls import Protocol as Spoken
from mayfly_relay.upstream_urls import ProxyAddress

_WHOLE = 3600.0
"""Seconds that python-socks gives itself. The time is the dialler's, which ends it much earlier."""

_REFUSED = "the upstream proxy refused it"
_ENDED = "the upstream proxy ended the connection"

_SOCKS4_REFUSED = {0x5C: Reply.NOT_ALLOWED, 0x5D: Reply.NOT_ALLOWED}
_HTTP_REFUSED = {
    401: Reply.NOT_ALLOWED,
    403: Reply.NOT_ALLOWED,
    405: Reply.NOT_ALLOWED,
    407: Reply.NOT_ALLOWED,
    451: Reply.NOT_ALLOWED,
    404: Reply.HOST_UNREACHABLE,
    502: Reply.HOST_UNREACHABLE,
    503: Reply.HOST_UNREACHABLE,
    408: Reply.TTL_EXPIRED,
    504: Reply.TTL_EXPIRED,
}


class ProxyTroubleError(UpstreamError):
    """The way to the last proxy is broken, or that proxy does not let us in: no client can do anything about it."""

    def __init__(self, message: str) -> None:
        super().__init__(Reply.NETWORK_UNREACHABLE, message)


class Hop(Protocol):
    """What python-socks asks of a proxy that it goes through."""

    async def connect(self, dest_host: str, dest_port: int, timeout: float | None = None) -> socket.socket: ...


class ProxyDialler:
    """Dials through a chain of proxies. `resolver` finds the first one."""

    def __init__(self, resolver: Resolver, *, timeout: float = 20.0) -> None:
        self._resolver = resolver
        self._timeout = timeout

    async def connect(self, proxies: Sequence[ProxyAddress], destination: Destination) -> socket.socket:
        """A connected, non-blocking TCP socket, with the last proxy's consent. Raises UpstreamError."""
        hop: Hop = _Nearest(self._resolver)
        for proxy in proxies:
            hop = _MAKE[proxy.protocol](proxy, hop)
        try:
            async with asyncio.timeout(self._timeout):
                sock = await hop.connect(str(destination.host), destination.port, _WHOLE)
        except TimeoutError:
            raise UpstreamError(Reply.TTL_EXPIRED, "the upstream proxy did not answer in time") from None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:  # it was reset already
            sock.close()
            raise UpstreamError(Reply.GENERAL_FAILURE, _ENDED) from None
        return sock


class _Nearest:
    """The connection to the first proxy."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def connect(self, dest_host: str, dest_port: int, timeout: float | None = None) -> socket.socket:
        """A socket. Raises ProxyTroubleError."""
        host = Destination.parse_host(dest_host, dest_port).host
        try:
            addresses = [host] if not isinstance(host, str) else await self._resolver.addresses(host)
            infos = [addr_info(address, dest_port) for address in addresses]
            return await start_connection(infos, happy_eyeballs_delay=ATTEMPT_DELAY, socket_factory=socket_for)
        except (OSError, RuntimeError, UpstreamError) as error:
            if isinstance(error, OSError) and error.errno == errno.EMFILE:
                raise ProxyTroubleError("too many connections are open") from None
            raise ProxyTroubleError("the upstream proxy cannot be reached") from None


class _SocksHop:
    """A SOCKS proxy."""

    def __init__(self, proxy: ProxyAddress, before: Hop) -> None:
        self._socks5 = proxy.protocol is Spoken.SOCKS5
        self._proxy = Proxy(
            ProxyType.SOCKS5 if self._socks5 else ProxyType.SOCKS4,
            str(proxy.place.host),
            proxy.place.port,
            username=proxy.user or None,
            password=proxy.password or None,
            rdns=True,
            forward=cast("Any", _Before(before)),  # it asks for no more than Hop
        )

    async def connect(self, dest_host: str, dest_port: int, timeout: float | None = None) -> socket.socket:
        """A socket. Raises UpstreamError."""
        if not self._socks5 and ":" in dest_host:
            raise UpstreamError(Reply.ADDRESS_TYPE_NOT_SUPPORTED, "SOCKS4 knows no IPv6")
        try:
            return await self._proxy.connect(dest_host, dest_port, timeout)
        except UpstreamError:
            raise
        except ProxyError as error:
            code = error.error_code
            if code is None:
                raise ProxyTroubleError("the upstream proxy does not let us in, or speaks no SOCKS") from None
            reply = member(Reply, code, Reply.GENERAL_FAILURE) if self._socks5 else _SOCKS4_REFUSED.get(code)
            raise UpstreamError(reply or Reply.GENERAL_FAILURE, _REFUSED) from None
        except Exception:  # what python-socks makes of nonsense depends on the nonsense, and of a reset too
            raise ProxyTroubleError("the upstream proxy speaks no SOCKS") from None


class _HttpHop:
    """A proxy that takes HTTP CONNECT."""

    def __init__(self, proxy: ProxyAddress, before: Hop) -> None:
        self._proxy = proxy
        self._before = _Before(before)

    async def connect(self, dest_host: str, dest_port: int, timeout: float | None = None) -> socket.socket:
        """A socket. Raises UpstreamError."""
        proxy = self._proxy
        sock = await self._before.connect(str(proxy.place.host), proxy.place.port, timeout)
        try:
            await http_hop.connect(sock, Destination.parse_host(dest_host, dest_port), proxy.user, proxy.password)
        except HttpRefusedError as error:
            sock.close()
            if error.status is None:
                raise ProxyTroubleError("the upstream proxy speaks no HTTP") from None
            if error.status == 407:
                raise ProxyTroubleError("the upstream proxy does not let us in") from None
            raise UpstreamError(_HTTP_REFUSED.get(error.status, Reply.GENERAL_FAILURE), _REFUSED) from None
        except OSError:
            sock.close()
            raise ProxyTroubleError(_ENDED) from None
        except BaseException:
            sock.close()
            raise
        return sock


class _Before:
    """What comes before a proxy. That it fails says nothing about the destination."""

    def __init__(self, hop: Hop) -> None:
        self._hop = hop

    async def connect(self, dest_host: str, dest_port: int, timeout: float | None = None) -> socket.socket:
        """As the hop. Raises ProxyTroubleError."""
        try:
            return await self._hop.connect(dest_host, dest_port, timeout)
        except UpstreamError as error:
            raise ProxyTroubleError(error.message) from None


_MAKE: dict[Spoken, Callable[[ProxyAddress, Hop], Hop]] = {
    Spoken.SOCKS5: _SocksHop,
    Spoken.SOCKS4: _SocksHop,
    Spoken.HTTP: _HttpHop,
}
