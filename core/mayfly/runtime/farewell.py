"""Why a session has ended, where an end just left: what that end says, and what is said where it gave no reason."""

from __future__ import annotations

from typing import Final

from mayfly.wire.hello import Role

THIS_SIDE_LEFT: Final = "this side left"

_LEFT: Final = {
    Role.PEER: "the other side has left",
    Role.RELAY: "the relay has left",
    Role.CLIENT: "the client has left",
}


def has_left(role: Role) -> str:
    """An end of that role says this when it closes a session, and the other end where it has heard no reason."""
    return _LEFT[role]
