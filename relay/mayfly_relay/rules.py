"""One rule of an exit policy, and how people write it.

::

    rule  = host ":" ports
    host  = "*" | IPv4 ["/" bits] | "[" IPv6 "]" ["/" bits] | name | "*." name
    ports = "*" | port | port "-" port

`example.com` means that name and everything below it; `*.example.com` only what is below it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv6Network, ip_network

from mayfly.errors import UsageError
from mayfly.wire.address import AddressError, Destination
from mayfly_relay.addresses import WRAPPERS, Network, Special, classify
from mayfly_relay.names import is_almost_address

_HINT = (
    "Write HOST:PORTS, for example 192.168.1.10:8080, 10.0.0.0/8:*, [2001:db8::]/32:443, example.com:80-443 or *:25."
)

# Those of 10.0.0.0/8 and fc00::/7, the widest private networks.
_SHORTEST_NAMING = {4: 8, 6: 7}


class Anything(Enum):
    """The host `*`."""

    ANYTHING = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """Allow or refuse `host` on the ports `first_port` to `last_port`, both included.

    `host` is a network, `*`, or a lower-case name: `example.com` for it and its subdomains, `.example.com` for its
    subdomains alone.
    """

    allow: bool
    host: Network | str | Anything
    first_port: int
    last_port: int

    @property
    def all_ports(self) -> bool:
        """Whether the rule is about every port."""
        return self.first_port <= 1 and self.last_port == 65535

    def admits(self, special: Special | None) -> bool:
        """Whether an allow of this form may admit such an address.

        `*`, names and networks such as `0.0.0.0/0` (which means IPv4, and names no network) admit public addresses
        only. Cloud metadata hands out credentials, so it takes a rule for exactly that address.
        """
        if special is None:
            return True
        if isinstance(self.host, (str, Anything)) or special is Special.ZONE:
            return False
        if special is Special.METADATA:
            return self.host.prefixlen == self.host.max_prefixlen
        return self.host.prefixlen >= _SHORTEST_NAMING[self.host.version]

    def opens_special(self, own: Collection[Network] = ()) -> bool:
        """Whether it allows addresses that are not public ones, or some of the relay's networks, which are `own`."""
        if not self.allow or isinstance(self.host, (str, Anything)):
            return False
        if self.admits(Special.OWN) and any(self.host.overlaps(network) for network in own):
            return True
        special = classify(self.host.network_address)
        return special is not None and self.admits(special)

    def matches_name(self, name: str) -> bool:
        """Whether this is a rule by name, and about the requested `name`."""
        if not isinstance(self.host, str):
            return False
        asked = name.lower().removesuffix(".")
        return asked == self.host or asked.endswith(self.host if self.host.startswith(".") else "." + self.host)


def parse_rule(text: str, allow: bool) -> Rule:
    """Read one rule as given to --allow or --deny. Raises UsageError that says what is wrong with it."""
    host, colon, ports = text.strip().rpartition(":")
    if not colon or not host:
        raise _wrong(text, "it has no port; add :* for every port")
    if ports.endswith("]"):
        raise _wrong(text, "it has no port; add :* for every port behind the bracket")
    first, last = _parse_ports(text, ports)
    return Rule(allow, _parse_host(text, host, allow), first, last)


def _parse_ports(text: str, ports: str) -> tuple[int, int]:
    if ports == "*":
        return 0, 65535
    match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", ports)
    if match is None:
        raise _wrong(text, "the part behind the last colon must be a port, a range such as 80-443, or *")
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    if not 1 <= first <= 65535 or not 1 <= last <= 65535:
        raise _wrong(text, "ports go from 1 to 65535")
    if first > last:
        raise _wrong(text, "the port range is backwards")
    return first, last


def _parse_host(text: str, host: str, allow: bool) -> Network | str | Anything:
    if host == "*":
        return Anything.ANYTHING
    if host.startswith("["):
        match = re.fullmatch(r"\[([^\]/]*)\](/[0-9]{1,3})?", host)
        if match is None or ":" not in match[1]:
            raise _wrong(text, "brackets hold an IPv6 address, and its prefix length stands behind them")
        return _parse_network(text, match[1] + (match[2] or ""), allow)
    if ":" in host:
        raise _wrong(text, "an IPv6 address needs brackets")
    address = host.partition("/")[0]
    if "/" in host or re.fullmatch(r"[0-9.]*", address):
        return _parse_network(text, host, allow)
    below_only = host.startswith("*.")
    return ("." if below_only else "") + _parse_name(text, host[2:] if below_only else host)


def _parse_network(text: str, network: str, allow: bool) -> Network:
    if "%" in network:
        raise _wrong(text, "an address with a zone (%) is never served")
    try:
        parsed = ip_network(network)
    except ValueError:
        try:
            wider = ip_network(network, strict=False)
        except ValueError:
            raise _wrong(text, "the address or its prefix length is not valid") from None
        raise _wrong(text, f"the address has bits behind its prefix; the network is {wider}") from None
    if allow and isinstance(parsed, IPv6Network) and any(parsed.subnet_of(wrapper) for wrapper in WRAPPERS):
        if parsed.prefixlen == 128 and int(parsed.network_address) <= 1:
            return parsed  # :: and ::1 lie in the IPv4-compatible range and hold nothing
        raise _wrong(text, "this form holds an IPv4 address; allow that IPv4 address itself")
    return parsed


def _parse_name(text: str, name: str) -> str:
    try:
        host = Destination.parse_host(name, 0).host
    except AddressError:
        raise _wrong(text, "the host is neither an address nor a valid name") from None
    if not isinstance(host, str) or is_almost_address(host):
        raise _wrong(text, "the host looks like an address but is not one")
    return host.removesuffix(".")


def _wrong(text: str, why: str) -> UsageError:
    shown = ascii(text if len(text) <= 80 else text[:77] + "...")
    return UsageError(f"The exit policy rule {shown} cannot be used: {why}.", hint=_HINT)
