"""Which network a request comes from, and the name that takes its place at once: no address is kept or logged anywhere.

The name is an HMAC of the /24 or /48 prefix under a key that changes each day. It can be counted, and once the day and
its key are gone it cannot be turned back, not even by trying all prefixes.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

NAME_SIZE = 12
"""Bytes of a name: 96 bits, so that no two prefixes of a day share one."""

LOCAL = "local"
"""The prefix of those who come over a Unix socket and name nobody else."""


class Prefixes:
    """Finds the prefix of a request, through the reverse proxies that are trusted."""

    def __init__(self, trusted: Iterable[Network]) -> None:
        self._trusted = tuple(trusted)

    def trusts(self, peer: str | None) -> bool:
        """Whether the other end of a connection is one of our proxies; over a Unix socket (None) it is."""
        address = _address(peer)
        return peer is None or (address is not None and any(address in network for network in self._trusted))

    def of(self, peer: str | None, forwarded: str) -> str:
        """The prefix of whoever asks. `forwarded` is X-Forwarded-For: the last entry that no proxy of ours wrote for
        another one counts, since all before it is hearsay."""
        for hop in [peer, *(text.strip() for text in reversed(forwarded.split(",")))]:
            if not self.trusts(hop):
                return prefix_of(hop)
        return prefix_of(peer)


def prefix_of(peer: str | None) -> str:
    """The prefix of an address in text; LOCAL for what is none."""
    address = _address(peer)
    return LOCAL if address is None else prefix(address)


def prefix(address: IPv4Address | IPv6Address) -> str:
    """The /24 of an IPv4 address, also of one in an IPv6 address, or the /48 of an IPv6 one."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    size = 24 if isinstance(address, IPv4Address) else 48
    return str(type(address)(int(address) >> (address.max_prefixlen - size) << (address.max_prefixlen - size)))


def name(key: bytes, network: str) -> str:
    """What stands for a prefix under a day's key."""
    return urlsafe_b64encode(hmac.digest(key, network.encode(), sha256)[:NAME_SIZE]).decode()


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        return None if text is None else ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
