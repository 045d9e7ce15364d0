"""The way out of one run: what was chosen with --upstream, and the service that each client gets through it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from mayfly.errors import ControlError, UpstreamError
from mayfly.runtime.events import Event, TorChanged, Warned
from mayfly.runtime.serving import Serve
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import unless
from mayfly.tor.driver import Tor
from mayfly.tor.status import TorStatus
from mayfly.wire.hello import Upstream as Kind
from mayfly_relay.addresses import Address
from mayfly_relay.bridge import BridgeTrouble, BridgeUpstream, WatchedUpstream, bridge_policy, bridge_words
from mayfly_relay.dialler import ProxyDialler
from mayfly_relay.direct import DirectUpstream
from mayfly_relay.extorport import ExtendedUpstream
from mayfly_relay.guard import Guard
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.options import RelayOptions
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.proxied import ProxiedUpstream
from mayfly_relay.reach import wait_reached
from mayfly_relay.resolver import SystemResolver
from mayfly_relay.service import ClientService
from mayfly_relay.through_tor import Isolation, TorUpstream, describe
from mayfly_relay.unresolved import UnresolvedGuard
from mayfly_relay.upstream import Upstream

Report = Callable[[Event], None]

_SEE_TO_BRIDGE = "See whether it runs, and where. Clients are refused until it works."
_SEE_TO_PROXY = "See whether it runs, and where. Until it works, clients are told that the network is down."
_BRIDGE_SUMMARY = "one bridge, whatever is asked for"
_UNREACHED = (
    "Start it, or leave with Ctrl-C and correct {}. Nobody is invited before it can be reached, and it is tried until "
    "then."
)


@contextlib.asynccontextmanager
async def open_way(
    options: RelayOptions, own: OwnNetworks, report: Report, shutdown: Shutdown
) -> AsyncGenerator[WayOut, None]:
    """The way out while the block lasts; starts tor where it is needed. Raises TorError."""
    async with contextlib.AsyncExitStack() as stack:
        tor = None
        if options.upstream.kind is Kind.TOR:

            def tell(status: TorStatus) -> None:
                report(
                    TorChanged(status.phase.value, status.percent, status.words, status.problem or None, status.retry)
                )

            tor = Tor(options.tor, tell)
            stack.push_async_callback(tor.aclose)
            await unless(shutdown.drain, tor.start())
        yield WayOut(options, own, report, tor)


class WayOut:
    """Makes the service of each client. Only `direct` resolves what clients ask for, and only it carries datagrams."""

    def __init__(self, options: RelayOptions, own: OwnNetworks, report: Report, tor: Tor | None) -> None:
        self._options = options
        self._own = own
        self._report = report
        self.tor = tor
        """The tor that it goes through, if it does."""
        self._isolation = Isolation(each_stream=options.tor_isolate_streams)
        self.kind = options.upstream.kind
        """What clients are told of it."""
        self._bridge_trouble = BridgeTrouble(self._tell_trouble)
        # Of all clients: it resolves nothing but what the volunteer has named.
        self._proxies = self._proxied() if self.kind is Kind.PROXY else None
        self._bridge = self._bridged()

    @property
    def summary(self) -> str:
        """The exit policy in a few words, for clients."""
        return _BRIDGE_SUMMARY if self.kind is Kind.BRIDGE else self._options.policy.summary()

    async def ready(self) -> None:
        """Wait until streams can go out, as far as that shows before there are any."""
        if self.tor is not None:
            await self.tor.wait_ready()
        elif (reach := self._reach()) is not None:
            await wait_reached(reach, self._tell_unreached)

    def service(self, client: int, serve_people: Serve, address: Address | None = None) -> ClientService:
        """The service of the client of that number; `address` is where it comes from, where that is known."""
        options = self._options
        guard: Guard | None = None
        upstream: Upstream
        if options.extended_port is not None:
            coarse = options.told_of_clients
            extended = ExtendedUpstream(options.extended_port, None if coarse is None else coarse.of(address))
            upstream = WatchedUpstream(extended, self._bridge_trouble)
        elif self._proxies is not None:
            upstream = self._proxies
        elif self._bridge is not None:
            upstream = WatchedUpstream(self._bridge, self._bridge_trouble)
        elif self.tor is not None:
            upstream = self._through_tor(self.tor, client)
        else:
            # A resolver of its own: one who asks for many dead names holds up nobody else's lookups.
            guard = self._resolving(options.policy)
            upstream = self._direct(guard)
        return ClientService(
            upstream,
            guard,
            options.limits,
            unsafe_logging=options.unsafe_logging,
            serve_people=serve_people,
            outbound=options.outbound,
        )

    async def describe(self) -> dict[str, Any]:
        """What `mayfly status` shows of it."""
        about = {} if self.tor is None else await describe(self.tor, self._isolation)
        return {"kind": self.kind.name.lower(), **about}

    async def renew(self) -> float:
        """New streams share no circuit with earlier ones; gives the seconds until tor forgets the rest, too.

        Raises ControlError, TorError.
        """
        if self.tor is None:
            raise ControlError("This relay does not use tor.", hint="It does with --upstream tor.")
        seconds = await self.tor.new_identity()
        self._isolation.renew()
        return seconds

    def _proxied(self) -> ProxiedUpstream:
        options = self._options
        return ProxiedUpstream(
            options.upstream.proxies,
            UnresolvedGuard(options.policy, self._own, onion=False),
            ProxyDialler(self._resolver(), timeout=options.limits.connect_timeout),
            lambda message: self._tell_trouble(message, _SEE_TO_PROXY),
        )

    def _bridged(self) -> BridgeUpstream | None:
        bridge = self._options.upstream.bridge
        return None if bridge is None else BridgeUpstream(bridge, self._direct(self._resolving(bridge_policy(bridge))))

    def _reach(self) -> Callable[[], Awaitable[socket.socket]] | None:
        """What connects to where the volunteer wants everything to go."""
        if self._options.extended_port is not None:
            return self._options.extended_port.connect
        place = self._bridge or self._proxies
        return None if place is None else place.reach

    def _tell_unreached(self, error: UpstreamError) -> None:
        message = error.message if self.kind is Kind.PROXY else bridge_words(error)
        options = "--upstream" if self._options.extended_port is None else "--ext-or-port and --ext-or-cookie"
        self._tell_trouble(message, _UNREACHED.format(options))

    def _tell_trouble(self, message: str, hint: str = _SEE_TO_BRIDGE) -> None:
        self._report(Warned("upstream", f"{message[0].upper()}{message[1:]}.", hint))

    def _through_tor(self, tor: Tor, client: int) -> Upstream:
        limits = self._options.limits
        return TorUpstream(
            tor,
            lambda: self._isolation.login(client),
            UnresolvedGuard(self._options.policy, self._own, onion=True),
            ProxyDialler(self._resolver(), timeout=limits.tor_timeout),
            lookup_timeout=limits.tor_timeout,
        )

    def _direct(self, guard: Guard) -> DirectUpstream:
        return DirectUpstream(guard, timeout=self._options.limits.connect_timeout, outbound=self._options.outbound)

    def _resolving(self, policy: ExitPolicy) -> Guard:
        return Guard(policy, self._resolver(), self._own)

    def _resolver(self) -> SystemResolver:
        return SystemResolver(timeout=self._options.limits.resolve_timeout)
