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


def is_local(name: str) -> bool:
    """Whether a name leads, or could lead, into the own network.

    A name of one label is completed with the network's own domain, and one whose last label is a number is taken for
    an address by many resolvers (`127.1`, `0x7f.1`).
    """
    bare = name.rstrip(".").lower()
    if "." not in bare or _NUMBER.fullmatch(bare.rpartition(".")[2]):
        return True
    return any(bare == suffix or bare.endswith("." + suffix) for suffix in _LOCAL)
