"""ICE connections of ours on loopback, with a far end that a test plays."""

from __future__ import annotations

from ipaddress import ip_address

from aioice import stun

from mayfly.config import EngineConfig, LinkConfig
from mayfly.transport.aiortc.gather import gather, local_candidate
from mayfly.transport.aiortc.ice import LinkConnection, LinkProtocol
from mayfly.transport.aiortc.stun import StunMappings
from mayfly.transport.base import IpPolicy, LinkSettings

LIMITS = EngineConfig(max_waiting=10 * (128 + 7))


async def bound(policy: IpPolicy = IpPolicy.ALL, *addresses: str) -> LinkConnection:
    """A connection with sockets on these addresses of loopback, that has the far end's answer."""
    connection = LinkConnection(controlling=False, policy=policy, config=LinkConfig(max_candidates=4), limits=LIMITS)
    bind = tuple(map(ip_address, addresses or ("127.0.0.1",)))
    await gather(connection, StunMappings((), 1.0), LinkSettings(bind=bind, ip_policy=policy))
    connection.remote_username, connection.remote_password = "user", "p" * 22
    return connection


def check_request(connection: LinkConnection) -> stun.Message:
    """A check of the far end's, not signed yet."""
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{connection.local_username}:user"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    return request


class Relayed:
    """A transport that is no socket of ours, as aioice's TURN transport is not."""

    def __init__(self, protocol: LinkProtocol) -> None:
        self.protocol = protocol
        self.sent: list[tuple[bytes, tuple[str, int]]] = []

    def sendto(self, data: bytes, addr: tuple[str, int]) -> None:
        self.sent.append((data, addr))

    def close(self) -> None:
        self.protocol.connection_lost(None)


def also_at(connection: LinkConnection, kind: str, host: str) -> None:
    """The connection has that candidate too."""
    protocol = LinkProtocol(connection)
    protocol.transport = Relayed(protocol)  # type: ignore[assignment]
    connection.add_local(protocol, local_candidate(kind, host, 9))
