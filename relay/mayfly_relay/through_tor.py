"""The upstream `tor`: every client has circuits of its own, which no other client shares."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

from mayfly.errors import Reply, TorError, UpstreamError
from mayfly.tor.status import Circuit, TorStatus
from mayfly.wire.address import Destination
from mayfly_relay.dialler import ProxyDialler
from mayfly_relay.tor_lookup import look_up
from mayfly_relay.unresolved import UnresolvedGuard
from mayfly_relay.upstream import nameless
from mayfly_relay.upstream_urls import Protocol as Spoken
from mayfly_relay.upstream_urls import ProxyAddress

PATIENCE = 5.0
"""Seconds for a tor to say which circuits it has; one that hangs does not hold up `mayfly status`."""


class RunningTor(Protocol):
    """What is needed of `mayfly.tor.driver.Tor`."""

    status: TorStatus
    version: str

    @property
    def socks(self) -> tuple[str, int]: ...
    async def circuits(self) -> tuple[Circuit, ...]: ...


class Isolation:
    """SOCKS user names and passwords by which tor keeps streams apart: those that differ share no circuit.

    The user name names the client, the password the time since the last renewal, and the stream where each stream is
    to be alone. All begin with what nobody else who uses the same tor can know.
    """

    def __init__(self, *, each_stream: bool = False, run: str | None = None) -> None:
        self._run = run or secrets.token_hex(8)
        self._each_stream = each_stream
        self._streams = count(1)
        self._renewed = 0

    def login(self, client: int) -> tuple[str, str]:
        """User name and password for a client's next stream."""
        stream = f"-{next(self._streams)}" if self._each_stream else ""
        return f"mayfly-{self._run}-{client}", f"{self._renewed}{stream}"

    def renew(self) -> None:
        """Streams from now on share no circuit with earlier ones."""
        self._renewed += 1

    def client_of(self, circuit: Circuit) -> int | None:
        """The client that a circuit is kept for, None where it is nobody's yet, or somebody else's."""
        begin, _, number = (circuit.user or "").rpartition("-")
        return int(number) if begin == f"mayfly-{self._run}" else None


class TorUpstream:
    """One client's way through tor."""

    def __init__(
        self,
        tor: RunningTor,
        login: Callable[[], tuple[str, str]],
        guard: UnresolvedGuard,
        dialler: ProxyDialler,
        *,
        lookup_timeout: float,
    ) -> None:
        self._tor = tor
        self._login = login
        self._guard = guard
        self._dialler = dialler
        self._lookup_timeout = lookup_timeout

    async def connect(self, destination: Destination) -> socket.socket:
        """As Upstream.connect. While tor is not ready, NETWORK_UNREACHABLE."""
        admitted = self._guard.admit(destination)
        host, port = self._socks()
        proxy = ProxyAddress(Spoken.SOCKS5, Destination.parse_host(host, port), *self._login())
        return await self._dialler.connect((proxy,), admitted)

    async def resolve(self, destination: Destination) -> Destination:
        """As Upstream.resolve: an exit of Tor's looks it up."""
        admitted = self._guard.admit_lookup(destination)
        found = await look_up(self._socks(), *self._login(), admitted, self._lookup_timeout)
        if isinstance(admitted.host, str):
            if not self._guard.admits_answer(admitted.host, found):
                raise UpstreamError(Reply.NOT_ALLOWED, "the exit policy refuses what was found")
        elif not isinstance(found.host, str):
            raise nameless()
        return found

    def _socks(self) -> tuple[str, int]:
        try:
            return self._tor.socks
        except TorError as error:
            raise UpstreamError(Reply.NETWORK_UNREACHABLE, error.message) from None


async def describe(tor: RunningTor, isolation: Isolation) -> dict[str, Any]:
    """What `mayfly status` shows of it."""
    status = tor.status
    try:
        async with asyncio.timeout(PATIENCE):
            circuits = await tor.circuits()
    except (TorError, TimeoutError):
        circuits = ()
    return {
        "state": status.phase.value,
        "percent": status.percent,
        "words": status.words,
        "problem": status.problem or None,
        "version": tor.version or None,
        "circuits": [
            {
                "id": circuit.id,
                "state": circuit.state.lower(),
                "purpose": circuit.purpose.lower(),
                "client": isolation.client_of(circuit),
                "hops": list(circuit.hops),
            }
            for circuit in circuits
        ],
    }
