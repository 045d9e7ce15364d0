"""The door in front of an upstream that resolves names itself: the exit policy, as far as it can be known without that.

Names are judged by name and port, and passed on as they came. Which address the upstream finds for a name is not known
here, so rules about addresses hold for addresses that a client asks for, and not for names that lead to them.
"""

from __future__ import annotations

import asyncio

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.addresses import connectable
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.names import is_onion
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.upstream import refused_by_policy


class UnresolvedGuard:
    """Applies the exit policy to what a client asks for. Nothing is ever resolved."""

    def __init__(self, policy: ExitPolicy, own: OwnNetworks, *, onion: bool) -> None:
        self._policy = policy
        self._own = own
        self._onion = onion

    def admit(self, destination: Destination) -> Destination:
        """What to ask the upstream for. Raises UpstreamError."""
        host, port = destination.host, destination.port
        if isinstance(host, str):
            if is_onion(host) and not self._onion:
                raise UpstreamError(Reply.HOST_UNREACHABLE, "onion names are served with the upstream tor alone")
            if not self._policy.decide_name(host, port).allowed:
                raise refused_by_policy()
            return destination
        verdict = self._policy.decide(None, host, port, self._own.current(asyncio.get_running_loop().time()))
        if not verdict.allowed:
            raise refused_by_policy()
        return Destination(connectable(host), port)

    def admit_lookup(self, destination: Destination) -> Destination:
        """What to have the upstream look up: a name or an address. Raises UpstreamError."""
        host = destination.host
        if isinstance(host, str):
            if is_onion(host) or not self._policy.decide_name(host, None).allowed:
                raise refused_by_policy()
            return destination
        networks = self._own.current(asyncio.get_running_loop().time())
        if not self._policy.decide_lookup(None, host, networks).allowed:
            raise refused_by_policy()
        return Destination(connectable(host), 0)

    def admits_answer(self, name: str, found: Destination) -> bool:
        """Whether a client may learn that the name has this address."""
        if isinstance(found.host, str):
            return False
        networks = self._own.current(asyncio.get_running_loop().time())
        return self._policy.decide_lookup(name, found.host, networks).allowed
