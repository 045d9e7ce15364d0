"""Names that mean something on the volunteer's own machine or network, told without resolving them.

An upstream that resolves names itself, a proxy, would be asked for them from inside that network.
"""

from __future__ import annotations

import re

# RFC 6761, RFC 6762, RFC 8375, and what home routers and companies use besides (ICANN keeps these out of the root).
_LOCAL = ("localhost", "local", "localdomain", "internal", "intranet", "private", "lan", "home", "corp", "home.arpa")

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def is_onion(name: str) -> bool:
    """Whether it is Tor's (RFC 7686)."""
    return name.rstrip(".").lower().endswith(".onion")


def is_almost_address(name: str) -> bool:
    """Whether its last label is a number, so that many resolvers take it for an IPv4 address (`127.1`, `0x7f.1`)."""
    return _NUMBER.fullmatch(name.rstrip(".").lower().rpartition(".")[2]) is not None


def is_local(name: str) -> bool:
    """Whether a name leads, or could lead, into the own network.

    A name of one label is completed with the network's own domain.
    """
    bare = name.rstrip(".").lower()
    if "." not in bare or is_almost_address(bare):
        return True
    return any(bare == suffix or bare.endswith("." + suffix) for suffix in _LOCAL)
