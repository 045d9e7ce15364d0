"""The one door between a client's wish and the network: resolve, check every address, hand out only what passed."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from mayfly.wire.address import Destination
from mayfly_relay.addresses import Address, Network, connectable
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.resolver import Resolver
from mayfly_relay.upstream import refused_by_policy

_REMEMBERED = 256
"""Decisions, for those who come back to where they were. Each costs less than 1 KiB, the longest name included."""


class Guard:
    """Applies the exit policy after resolution. What it returns is pinned: nothing may be resolved again after it."""

    def __init__(self, policy: ExitPolicy, resolver: Resolver, own: OwnNetworks) -> None:
        self._policy = policy
        self._decide = lru_cache(_REMEMBERED)(policy.decide)  # which depends on nothing but its arguments
        self._resolver = resolver
        self._own = own

    def check(self, address: Address, port: int, name: str | None = None) -> Address | None:
        """The form of `address` to send to, or None when the policy refuses it. `name` is what the client asked for."""
        verdict = self._decide(name, address, port, self._networks())
        return connectable(address) if verdict.allowed else None

    async def admit(self, destination: Destination) -> list[Address]:
        """The addresses of `destination` that may be connected to, best first, never empty.

        Raises UpstreamError: NOT_ALLOWED when the policy refuses all of them, or as the resolver does.
        """
        host, port = destination.host, destination.port
        if isinstance(host, str):
            checked = [self.check(address, port, host) for address in await self._addresses(host)]
        else:
            checked = [self.check(host, port)]
        allowed = list(dict.fromkeys(address for address in checked if address is not None))
        if not allowed:
            raise refused_by_policy()
        return allowed

    async def look_up(self, destination: Destination) -> Destination:
        """Resolve a name to its first permitted address, or an address to its name.

        The answers are checked too: what a name or an address means inside the volunteer's network stays there.
        Raises UpstreamError.
        """
        host = destination.host
        if isinstance(host, (IPv4Address, IPv6Address)):
            if not self._policy.decide_lookup(None, host, self._networks()).allowed:
                raise refused_by_policy()
            return Destination(await self._resolver.name(connectable(host)), 0)
        found = await self._addresses(host)
        networks = self._networks()
        for address in found:
            if self._policy.decide_lookup(host, address, networks).allowed:
                return Destination(address, 0)
        raise refused_by_policy()

    async def _addresses(self, name: str) -> list[Address]:
        if not self._policy.looks_up(name, self._networks()):
            raise refused_by_policy()
        return await self._resolver.addresses(name)

    def _networks(self) -> frozenset[Network]:
        return self._own.current(asyncio.get_running_loop().time())
