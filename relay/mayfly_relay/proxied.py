"""The upstream of proxies: what the exit policy lets pass is handed to them by name."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from mayfly.errors import UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.dialler import ProxyDialler, ProxyTroubleError
from mayfly_relay.unresolved import UnresolvedGuard
from mayfly_relay.upstream import looks_up_nothing
from mayfly_relay.upstream_urls import ProxyAddress


class ProxiedUpstream:
    """A chain of proxies. `on_trouble` is told when they themselves fail: once, until they work again."""

    def __init__(
        self,
        proxies: Sequence[ProxyAddress],
        guard: UnresolvedGuard,
        dialler: ProxyDialler,
        on_trouble: Callable[[str], None],
    ) -> None:
        self._proxies = proxies
        self._guard = guard
        self._dialler = dialler
        self._on_trouble = on_trouble
        self._troubled = False

    async def connect(self, destination: Destination) -> socket.socket:
        """As Upstream.connect."""
        admitted = self._guard.admit(destination)
        try:
            sock = await self._dialler.connect(self._proxies, admitted)
        except ProxyTroubleError as error:
            if not self._troubled:
                self._troubled = True
                self._on_trouble(error.message)
            raise
        self._troubled = False
        return sock

    async def reach(self) -> socket.socket:
        """A connection to the last proxy, which is asked nothing. Raises UpstreamError."""
        *before, last = self._proxies
        try:
            return await self._dialler.connect(before, last.place)
        except ProxyTroubleError:
            raise
        except UpstreamError as error:  # of one before it, which speaks of where it was to go
            words = "the last of the upstream proxies cannot be reached through those before it"
            raise UpstreamError(error.reply, words) from None

    async def resolve(self, destination: Destination) -> Destination:
        """No proxy looks up names for others. Raises UpstreamError."""
        raise looks_up_nothing()
