"""Which addresses and networks are the relay's own, so that clients are kept out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, ip_interface, ip_network

import ifaddr

from mayfly_relay.addresses import GLOBAL_UNICAST, Address, Network, unwrap

REFRESH_INTERVAL = 60.0
"""Seconds for which a look at the interfaces is good."""


def local_networks() -> frozenset[Network]:
    """The networks that this machine's interfaces are on now, by their addresses and prefix lengths."""
    found: set[Network] = set()
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0].partition("%")[0]
            found.add(local_network(text, ip.network_prefix))
    return frozenset(found)


def local_network(address: str, prefix: int) -> Network:
    """The network to keep clients out of, for an interface's `address` and prefix length.

    All of the network and not the address alone: with IPv6 the printer beside the relay has a public address too, and
    only the home router, which the relay stands behind, protects it. A household is given a /56 or more (RFC 6177 §2),
    so the cameras in a network of their own, for which the router trusts its other networks, have such addresses too.
    """
    interface = ip_interface(f"{address}/{prefix}")
    if isinstance(interface.network, IPv4Network):
        # A tunnel may claim to be on a network as wide as the Internet.
        return interface.network if prefix >= 8 else ip_network(interface.ip)
    if prefix < 32:
        return ip_network(interface.ip)
    # DHCPv6 hands out single addresses (/128) of a local network that is a /64 (RFC 4291 §2.5.4).
    least = 56 if interface.ip in GLOBAL_UNICAST else 64
    return interface.network if prefix <= least else interface.network.supernet(new_prefix=least)


class OwnNetworks:
    """The relay's own networks, looked up again when the last look is old.

    `also` holds addresses that no interface shows: above all the public address that STUN found, which reaches the
    home router from inside.
    """

    def __init__(
        self, look: Callable[[], frozenset[Network]] = local_networks, *, interval: float = REFRESH_INTERVAL
    ) -> None:
        self._look = look
        self._interval = interval
        self._seen: frozenset[Network] = frozenset()
        self._also: frozenset[Network] = frozenset()
        self._good_until: float | None = None
        self._all: frozenset[Network] = frozenset()

    def add(self, addresses: Iterable[Address]) -> None:
        """Count these single addresses as the relay's own, from now on."""
        self._also |= {ip_network(unwrap(address)) for address in addresses}
        self._join()

    def current(self, now: float) -> frozenset[Network]:
        """The relay's own networks at `now` (monotonic seconds). When a look fails, the last result stays in force."""
        if self._good_until is None or now >= self._good_until:
            self._good_until = now + self._interval
            try:
                self._seen = self._look()
            except OSError:
                pass
            else:
                self._join()
        return self._all

    def _join(self) -> None:
        """All of them, in one object while they are the same, for who remembers what it decided by them."""
        networks = self._seen | self._also
        if networks != self._all:
            self._all = networks
