"""What kind of place an IP address is, seen through every way of writing one address inside another.

An exit policy that looks at the outer form only is passed with `::ffff:127.0.0.1`. Here an address is first unwrapped
to where its packets end, then looked up in the special-purpose registries (RFC 6890 and IANA's lists of 2025).
The tables are our own and not `ipaddress.is_private`, whose answers differ between Python releases.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Special(Enum):
    """Why an address is not an ordinary public one."""

    ZONE = "has a zone identifier"
    OWN = "belongs to the relay's machine or its local network"
    METADATA = "cloud metadata service"
    UNSPECIFIED = "unspecified"
    THIS_NETWORK = "this network (0.0.0.0/8)"
    LOOPBACK = "loopback"
    PRIVATE = "private or unique local"
    CGNAT = "shared by a carrier's NAT"
    LINK_LOCAL = "link-local"
    SITE_LOCAL = "site-local"
    MULTICAST = "multicast"
    BROADCAST = "broadcast"
    DOCUMENTATION = "documentation"
    BENCHMARK = "benchmarking"
    TRANSLATION = "local translation prefix"
    RESERVED = "reserved"


METADATA_ADDRESSES: frozenset[Address] = frozenset(
    {
        IPv4Address("169.254.169.254"),  # AWS, Azure, Google, OpenStack and most others
        IPv4Address("169.254.170.2"),  # AWS ECS task credentials
        IPv4Address("169.254.170.23"),  # AWS EKS pod identity
        IPv4Address("169.254.0.23"),  # Tencent
        IPv4Address("169.254.42.42"),  # Scaleway
        IPv4Address("100.100.100.200"),  # Alibaba
        IPv4Address("192.0.0.192"),  # Oracle
        IPv4Address("168.63.129.16"),  # Azure's wire server: the one that lies in public space
        IPv6Address("fd00:ec2::254"),  # AWS
        IPv6Address("fd00:ec2::23"),  # AWS EKS pod identity
        IPv6Address("fd20:ce::254"),  # Google
        IPv6Address("fd00:42::42"),  # Scaleway
        IPv6Address("fe80::a9fe:a9fe"),  # OpenStack
    }
)

# The first match counts, so the narrower networks come first.
_V4: tuple[tuple[IPv4Network, Special], ...] = (
    (IPv4Network("0.0.0.0/32"), Special.UNSPECIFIED),
    (IPv4Network("0.0.0.0/8"), Special.THIS_NETWORK),
    (IPv4Network("10.0.0.0/8"), Special.PRIVATE),
    (IPv4Network("100.64.0.0/10"), Special.CGNAT),
    (IPv4Network("127.0.0.0/8"), Special.LOOPBACK),
    (IPv4Network("169.254.0.0/16"), Special.LINK_LOCAL),
    (IPv4Network("172.16.0.0/12"), Special.PRIVATE),
    (IPv4Network("192.0.0.0/24"), Special.RESERVED),
    (IPv4Network("192.0.2.0/24"), Special.DOCUMENTATION),
    (IPv4Network("192.88.99.0/24"), Special.RESERVED),
    (IPv4Network("192.168.0.0/16"), Special.PRIVATE),
    (IPv4Network("198.18.0.0/15"), Special.BENCHMARK),
    (IPv4Network("198.51.100.0/24"), Special.DOCUMENTATION),
    (IPv4Network("203.0.113.0/24"), Special.DOCUMENTATION),
    (IPv4Network("224.0.0.0/4"), Special.MULTICAST),
    (IPv4Network("255.255.255.255/32"), Special.BROADCAST),
    (IPv4Network("240.0.0.0/4"), Special.RESERVED),
)

_NAT64 = IPv6Network("64:ff9b::/96")
_V6: tuple[tuple[IPv6Network, Special], ...] = (
    (IPv6Network("::/128"), Special.UNSPECIFIED),
    (IPv6Network("::1/128"), Special.LOOPBACK),
    # RFC 8215: a network may map any IPv4 address here, private ones too, at a place in the address that only its
    # administrator knows. So there is no unwrapping that would be safe, and the prefix is refused whole.
    (IPv6Network("64:ff9b:1::/48"), Special.TRANSLATION),
    (IPv6Network("2001:2::/48"), Special.BENCHMARK),
    (IPv6Network("2001:db8::/32"), Special.DOCUMENTATION),
    (IPv6Network("3fff::/20"), Special.DOCUMENTATION),
    (IPv6Network("fc00::/7"), Special.PRIVATE),
    (IPv6Network("fe80::/10"), Special.LINK_LOCAL),
    (IPv6Network("fec0::/10"), Special.SITE_LOCAL),
    (IPv6Network("ff00::/8"), Special.MULTICAST),
)
_TEREDO = IPv6Network("2001::/32")
_IETF = IPv6Network("2001::/23")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_MAPPED = IPv6Network("::ffff:0:0/96")
_COMPATIBLE = IPv6Network("::/96")
GLOBAL_UNICAST = IPv6Network("2000::/3")
"""Where public IPv6 addresses lie."""

WRAPPERS: tuple[IPv6Network, ...] = (_MAPPED, _NAT64, _SIX_TO_FOUR, _TEREDO, _COMPATIBLE)
"""The IPv6 networks whose addresses hold an IPv4 address."""


def unwrap(address: Address) -> Address:
    """The address where packets to `address` end: the IPv4 address inside it, or itself.

    Knows IPv4-mapped (RFC 4291 §2.5.5.2), IPv4-compatible (§2.5.5.1), the well-known NAT64 prefix (RFC 6052 §2.1),
    6to4 (RFC 3056 §2) and Teredo (RFC 4380 §4, the client's address). `::` and `::1` are themselves.
    """
    if isinstance(address, IPv4Address):
        return address
    number = int(address)
    if address in _SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFFFFFF)
    if address in _TEREDO:
        return IPv4Address(~number & 0xFFFFFFFF)
    if address in _MAPPED or address in _NAT64 or (address in _COMPATIBLE and number > 1):
        return IPv4Address(number & 0xFFFFFFFF)
    return address


def connectable(address: Address) -> Address:
    """The form to hand to a socket: IPv4-mapped addresses become IPv4, all others stay.

    A NAT64 address stays, because on a network without IPv4 it is the only way to that destination.
    """
    if isinstance(address, IPv6Address) and address in _MAPPED:
        return unwrap(address)
    return address


def classify(address: Address, own: Collection[Network] = ()) -> Special | None:
    """What is special about `address`, seen from a relay whose addresses and local networks are `own`.

    None means an ordinary public address.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return Special.ZONE
    inner = unwrap(address)
    forms = (address,) if inner == address else (address, inner)
    if any(form in METADATA_ADDRESSES for form in forms):
        return Special.METADATA
    if isinstance(inner, IPv6Address):
        found = _classify_v6(inner)
    else:
        found = _classify_v4(inner)
        if found is None and isinstance(address, IPv6Address):
            found = _classify_wrapper(address)
    if found is None and any(form in network for form in forms for network in own):
        return Special.OWN
    return found


def _classify_v4(address: IPv4Address) -> Special | None:
    return next((special for network, special in _V4 if address in network), None)


def _classify_v6(address: IPv6Address) -> Special | None:
    for network, special in _V6:
        if address in network:
            return special
    # IANA has given out nothing outside 2000::/3 that a public server could have. What is in 2001::/23 and not Teredo
    # is for protocols (ORCHID, anycast services), not for hosts.
    if address not in GLOBAL_UNICAST or address in _IETF:
        return Special.RESERVED
    return None


def _classify_wrapper(address: IPv6Address) -> Special | None:
    """A further reason to refuse an address whose inner one is ordinary."""
    if address in _TEREDO:
        return _classify_v4(IPv4Address(int(address) >> 64 & 0xFFFFFFFF))  # its server, also contacted (RFC 4380 §5.3)
    if address in _COMPATIBLE:
        return Special.RESERVED  # deprecated by RFC 4291; nothing public answers there
    return None
