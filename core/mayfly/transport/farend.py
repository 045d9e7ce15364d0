"""What an address at which the far end answers is: its own, its NAT's, a TURN server's, or nobody knows.

A TURN server's address must never be taken for a person's. An engine tells a candidate's type only where the far end's
code named that very port; any other is peer-reflexive (RFC 8445 §7.3.1.3), which says nothing of what stands there:
another mapping of a NAT, or another allocation at a TURN server, which libwebrtc may make at any time. The check's
PRIORITY holds the type preference of peer-reflexive candidates in either case (§7.1.1). A code without a TURN server
shows nothing either, since one that answers late is in no code. What is left is to know the address from the code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from mayfly.signaling.description import Candidate, CandidateType


@dataclass(frozen=True, slots=True)
class FarEnd:
    """`remote` and `remote_address` of `base.PathInfo`."""

    type: CandidateType | None = None
    address: IPv4Address | IPv6Address | None = None


def named(kind: CandidateType, address: IPv4Address | IPv6Address | None) -> FarEnd:
    """A candidate that the far end's code named. One behind an mDNS name may have no address that we are told."""
    return FarEnd(kind, None if kind is CandidateType.RELAYED else address)


def peer_reflexive(address: IPv4Address | IPv6Address | None, code: Iterable[Candidate]) -> FarEnd:
    """One that no code named, beside those that the far end's `code` does name."""
    types = {candidate.type for candidate in code if candidate.address == address}
    if CandidateType.RELAYED in types:
        return FarEnd(CandidateType.RELAYED)
    if address is None or not types:
        return FarEnd()
    # Another port of an address of the far end's: its NAT's where that is public, and otherwise anything's.
    return FarEnd(CandidateType.SERVER_REFLEXIVE if address.is_global else None, address)
