"""Who is the DTLS client, settled in the offer and the answer alone (RFC 8842 §5)."""

from __future__ import annotations

from mayfly.errors import ConnectError
from mayfly.signaling.description import Setup
from mayfly.transport.base import DtlsRole

_WISHED = {DtlsRole.CLIENT: Setup.ACTIVE, DtlsRole.SERVER: Setup.PASSIVE}
_OTHER = {Setup.ACTIVE: Setup.PASSIVE, Setup.PASSIVE: Setup.ACTIVE}


def offered_setup(role: DtlsRole, left_to_us: Setup = Setup.ACTPASS) -> Setup:
    """What an offer says: what the user chose, else what the engine prefers."""
    return _WISHED.get(role, left_to_us)


def answered_setup(role: DtlsRole, offered: Setup, left_to_us: Setup = Setup.ACTIVE) -> Setup:
    """What an answer says. Where neither the offer nor the user decides, it is what the engine prefers, `left_to_us`.

    An engine whose ClientHello does not look like a browser's prefers to be passive. So the ClientHello comes from a
    browser or from libwebrtc wherever one end has it, whichever end that is, and neither has to know of the other.

    Raises ConnectError when both ends insist on the same role.
    """
    if offered is Setup.ACTPASS:
        return _WISHED.get(role, left_to_us)
    left = _OTHER[offered]
    if role is not DtlsRole.AUTO and left is not _WISHED[role]:
        raise ConnectError(
            "both sides insist on the same part in the encryption (--dtls-role)",
            hint="leave --dtls-role out here, or choose the other one",
            stage="handshake",
        )
    return left


def offerer_is_client(answered: Setup) -> bool:
    """Whether the offerer sends the ClientHello, given what the answer says. Raises ConnectError on `actpass`."""
    if answered is Setup.ACTPASS:
        raise ConnectError(
            "the answer does not say who begins the encryption (its DTLS role)",
            hint="ask the other side for a new answer",
            stage="handshake",
        )
    return answered is Setup.PASSIVE
