"""The upstream of a bridge: every stream goes to one fixed place, whatever the client asks for."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_network

from mayfly.errors import UpstreamError
from mayfly.pt.extended import ExtendedPortError
from mayfly.wire.address import Destination
from mayfly_relay.direct import DirectUpstream
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.rules import Anything, Rule
from mayfly_relay.upstream import Upstream, looks_up_nothing


def bridge_policy(bridge: Destination) -> ExitPolicy:
    """The policy that admits this place and no other. A name is admitted with public addresses only."""
    host = bridge.host if isinstance(bridge.host, str) else ip_network(bridge.host)
    nothing_else = Rule(False, Anything.ANYTHING, 0, 65535)
    return ExitPolicy((Rule(True, host, bridge.port, bridge.port), nothing_else))


class BridgeUpstream:
    """Connects to the bridge through `direct`, whose guard has the bridge's policy."""

    def __init__(self, bridge: Destination, direct: DirectUpstream) -> None:
        self._bridge = bridge
        self._direct = direct

    async def connect(self, destination: Destination) -> socket.socket:
        """As Upstream.connect, to the bridge."""
        return await self.reach()

    async def reach(self) -> socket.socket:
        """A connection to the bridge. Raises UpstreamError."""
        return await self._direct.connect(self._bridge)

    async def resolve(self, destination: Destination) -> Destination:
        """A bridge looks up nothing. Raises UpstreamError."""
        raise looks_up_nothing()


def bridge_words(error: UpstreamError) -> str:
    """Why no connection to the bridge came about, for the volunteer."""
    return error.message if isinstance(error, ExtendedPortError) else "the bridge cannot be reached"


class BridgeTrouble:
    """Tells the volunteer that the bridge does not take us: once, until it does again, whichever client asks."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._troubled = False

    def failed(self, error: UpstreamError) -> None:
        """A connection to the bridge did not come about."""
        if not self._troubled:
            self._troubled = True
            self._tell(bridge_words(error))

    def worked(self) -> None:
        """One did."""
        self._troubled = False


class WatchedUpstream:
    """A way to the bridge, and what to tell of it."""

    def __init__(self, upstream: Upstream, trouble: BridgeTrouble) -> None:
        self._upstream = upstream
        self._trouble = trouble

    async def connect(self, destination: Destination) -> socket.socket:
        """As Upstream.connect."""
        try:
            sock = await self._upstream.connect(destination)
        except UpstreamError as error:
            self._trouble.failed(error)
            raise
        self._trouble.worked()
        return sock

    async def resolve(self, destination: Destination) -> Destination:
        """As Upstream.resolve."""
        return await self._upstream.resolve(destination)
