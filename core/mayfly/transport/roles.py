"""Who is the DTLS client, settled in the offer and the answer alone (RFC 8842 §5)."""

from __future__ import annotations

from mayfly.errors import ConnectError
from mayfly.signaling.description import Setup
from mayfly.transport.base import DtlsRole

_OFFERED = {DtlsRole.AUTO: Setup.ACTPASS, DtlsRole.CLIENT: Setup.ACTIVE, DtlsRole.SERVER: Setup.PASSIVE}
_WISHED = {DtlsRole.AUTO: Setup.ACTIVE, DtlsRole.CLIENT: Setup.ACTIVE, DtlsRole.SERVER: Setup.PASSIVE}
_OTHER = {Setup.ACTIVE: Setup.PASSIVE, Setup.PASSIVE: Setup.ACTIVE}


def offered_setup(role: DtlsRole) -> Setup:
    """What an offer says: `actpass`, unless the user chose."""
    return _OFFERED[role]


def answered_setup(role: DtlsRole, offered: Setup) -> Setup:
    """What an answer says. The answerer is active unless the offer or the user decides otherwise.

    Raises ConnectError when both ends insist on the same role.
    """
    if offered is Setup.ACTPASS:
        return _WISHED[role]
    left = _OTHER[offered]
    if role is not DtlsRole.AUTO and left is not _WISHED[role]:
        raise ConnectError(
            "both ends insist on the same DTLS role",
            hint="leave --dtls-role out here, or choose the other one",
            stage="handshake",
        )
    return left


def offerer_is_client(answered: Setup) -> bool:
    """Whether the offerer sends the ClientHello, given what the answer says. Raises ConnectError on `actpass`."""
    if answered is Setup.ACTPASS:
        raise ConnectError(
            "the answer leaves the DTLS role open, which only an offer may do",
            hint="ask the other side for a new answer",
            stage="handshake",
        )
    return answered is Setup.PASSIVE
