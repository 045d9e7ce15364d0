"""The upstream of a bridge: every stream goes to one fixed place, whatever the client asks for."""

from __future__ import annotations

import socket
from ipaddress import ip_network

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.direct import DirectUpstream
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.rules import Anything, Rule


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
        return await self._direct.connect(self._bridge)

    async def resolve(self, destination: Destination) -> Destination:
        """A bridge looks up nothing. Raises UpstreamError."""
        raise UpstreamError(Reply.COMMAND_NOT_SUPPORTED, "the upstream looks up no names")
