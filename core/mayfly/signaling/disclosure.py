"""What a description tells its reader about the addresses of the computer that made it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

from mayfly.signaling.description import Candidate, CandidateType, Description

# Our own list: ipaddress's is_private changes between Python versions, and counts documentation addresses.
_HERE, _LOCAL, _PUBLIC = "this computer only", "local network", "public"
_SCOPES = (
    (_HERE, ("127.0.0.0/8", "::1/128")),
    (_LOCAL, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")),
    ("the provider's inner network", ("100.64.0.0/10",)),
)
_NETWORKS = tuple((words, ip_network(network)) for words, networks in _SCOPES for network in networks)


def disclosed(description: Description) -> list[str]:
    """One line for people for each address that the description discloses, such as `192.168.1.4 (local network)`."""
    return list(dict.fromkeys(_in_words(candidate) for candidate in description.candidates))


def disclosed_types(description: Description) -> list[str]:
    """The same in short for machines, with the candidate's type: `192.168.1.4 (host)`."""
    lines = (f"{candidate.address} ({candidate.type.value})" for candidate in description.candidates)
    return list(dict.fromkeys(lines))


def stays_on_local_network(description: Description) -> bool:
    """Whether nobody on another network can reach what it discloses. Not where it is for this computer alone."""
    scopes: set[str] = set()
    for candidate in description.candidates:
        if candidate.type is CandidateType.RELAYED:
            return False
        scopes.add(_LOCAL if isinstance(candidate.address, str) else _scope(candidate.address))
    return _PUBLIC not in scopes and not scopes <= {_HERE}


def _in_words(candidate: Candidate) -> str:
    address = candidate.address
    if isinstance(address, str):
        return f"{address} (a local address, hidden behind an mDNS name)"
    if candidate.type is CandidateType.RELAYED:
        return f"{address} (of a TURN server)"
    scope = _scope(address)
    if candidate.type is CandidateType.SERVER_REFLEXIVE:
        return f"{address} ({scope}, as a STUN server saw it)"
    return f"{address} ({scope})"


def _scope(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return next((words for words, network in _NETWORKS if address in network), _PUBLIC)
