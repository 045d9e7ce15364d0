"""The first moments of a session: both ends say HELLO, and check that they fit together."""

from __future__ import annotations

from mayfly.errors import LinkError
from mayfly.runtime.events import Connected
from mayfly.runtime.introduction import PeerHello
from mayfly.runtime.meeting import Met
from mayfly.runtime.session import Session
from mayfly.wire.hello import Role

_RELAY_AND_CLIENT = "One side runs `mayfly relay`, the other one `mayfly client`."
_PEERS = "Both sides run `mayfly chat`, or one `mayfly send` and the other one `mayfly receive`."


async def greet(session: Session, wanted: Role) -> PeerHello:
    """Exchange HELLO with a peer that must have the wanted role. Raises LinkError, or what Session.start raises."""
    peer = await session.start()
    await session.wait_measured()  # one round trip more, and people are told how far the other side is
    if peer.role is not wanted:
        raise LinkError(
            f"The other side is not a {wanted.name.lower()}.",
            hint=_PEERS if wanted is Role.PEER else _RELAY_AND_CLIENT,
            stage="session",
        )
    return peer


def connected(number: int, session: Session, met: Met, peer: PeerHello) -> Connected:
    """The event that tells of a new session with the peer of that number."""
    path, trip = session.path(), session.round_trip
    return Connected(
        peer=number,
        role=peer.role.name.lower(),
        words=met.words,
        local=path.local.value if path.local else None,
        remote=path.remote.value if path.remote else None,
        rtt_ms=None if trip is None else round(trip * 1000, 3),
        policy=peer.policy or None,
        lifetime=peer.lifetime,
        upstream=None if peer.upstream is None else peer.upstream.name.lower(),
    )
