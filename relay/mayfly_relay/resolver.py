"""Names to addresses and back, off the event loop, with a bound on time and on how many at once."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address
from typing import Protocol, TypeVar

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import AddressError, Destination
from mayfly_relay.addresses import Address
from mayfly_relay.upstream import lookup_too_slow, nameless

T = TypeVar("T")

MAX_ADDRESSES = 16
"""Addresses of one name that are looked at. Whoever owns a name chooses how many it has."""


class Resolver(Protocol):
    """Looks up names for clients. Results are unchecked: the exit policy is applied by whoever asks."""

    async def addresses(self, name: str) -> list[Address]:
        """The addresses of `name`, both families, best first, never empty. Raises UpstreamError."""
        ...

    async def name(self, address: Address) -> str:
        """The host name of `address`. Raises UpstreamError."""
        ...


class SystemResolver:
    """The operating system's resolver: what any program on the volunteer's machine would be told.

    Nothing is cached here: a cache shared by clients would tell one of them, by its speed, what another one visits.
    """

    def __init__(self, *, timeout: float = 10.0, concurrency: int = 32, max_waiting: int = 1024) -> None:
        self._timeout = timeout
        self._slots = asyncio.Semaphore(concurrency)
        self._max_waiting = max_waiting
        self._waiting = 0

    async def addresses(self, name: str) -> list[Address]:
        """As Resolver.addresses. A name that does not exist is HOST_UNREACHABLE, no answer in time TTL_EXPIRED."""
        if name.rstrip(".").endswith(".onion"):
            # RFC 7686 §2: these names are not for the DNS, which would learn of the attempt.
            raise UpstreamError(Reply.HOST_UNREACHABLE, "onion names are not served")
        found = await self._call(lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
        addresses = list(dict.fromkeys(ip_address(info[4][0]) for info in found))[:MAX_ADDRESSES]
        if not addresses:
            raise UpstreamError(Reply.HOST_UNREACHABLE, "the name has no address")
        return addresses

    async def name(self, address: Address) -> str:
        """As Resolver.name. An address without a (valid) name is HOST_UNREACHABLE."""
        where = (str(address), 0) if isinstance(address, IPv4Address) else (str(address), 0, 0, 0)
        found, _ = await self._call(lambda: socket.getnameinfo(where, socket.NI_NAMEREQD))
        try:
            host = Destination.parse_host(found, 0).host
        except AddressError:
            raise UpstreamError(Reply.HOST_UNREACHABLE, "the address has no valid name") from None
        if not isinstance(host, str):
            raise nameless()
        return host

    async def _call(self, lookup: Callable[[], T]) -> T:
        if self._waiting >= self._max_waiting:
            raise UpstreamError(Reply.GENERAL_FAILURE, "too many lookups are under way")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout):
                await self._slots.acquire()
                return await self._in_thread(lookup)
        except TimeoutError:
            raise lookup_too_slow() from None
        except UnicodeError:
            raise UpstreamError(Reply.HOST_UNREACHABLE, "the name cannot be looked up") from None
        except OSError:
            raise UpstreamError(Reply.HOST_UNREACHABLE, "the lookup failed") from None
        finally:
            self._waiting -= 1

    def _in_thread(self, lookup: Callable[[], T]) -> asyncio.Future[T]:
        """Run `lookup` in a thread of its own; the slot is free again when the thread ends, however late.

        The thread is a daemon because a lookup cannot be cancelled: with the loop's executor a dead name server would
        hold up the end of the program, and with few threads everybody else's lookups.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def deliver(result: T | None, error: Exception | None) -> None:
            self._slots.release()
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def run() -> None:
            result: T | None = None
            error: Exception | None = None
            try:
                result = lookup()
            except Exception as caught:
                error = caught
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(deliver, result, error)

        try:
            threading.Thread(target=run, name="mayfly-lookup", daemon=True).start()
        except RuntimeError:
            self._slots.release()
            raise OSError("no thread can be started") from None
        return future
