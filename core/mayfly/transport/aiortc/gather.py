"""Choosing and opening our own addresses, under the user's `--bind` and `--ip-policy`."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

from aioice import Candidate as IceCandidate
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import get_host_addresses, relayed_candidate
from aioice.stun import TransactionError
from aiortc.rtcicetransport import parse_stun_turn_uri

from mayfly.errors import GatheringError
from mayfly.signaling.description import Candidate, CandidateType
from mayfly.transport.aiortc.endpoint import BUFFERS, open_endpoint
from mayfly.transport.aiortc.ice import IpAddress, LinkConnection, LinkProtocol, is_local
from mayfly.transport.aiortc.stun import StunMappings
from mayfly.transport.base import IpPolicy, LinkSettings, TurnServer
from mayfly.transport.connecting import no_address, no_turn_server

_TURN_TIMEOUT = 5.0

_NO_NETWORK = "connect to a network, or choose an address with --bind"
_HINTS = {
    IpPolicy.ALL: _NO_NETWORK,
    IpPolicy.PUBLIC_ONLY: "there is no public address: choose STUN servers with --stun, or another --ip-policy",
    IpPolicy.NO_STUN: _NO_NETWORK,
    IpPolicy.LAN: "there is no private address: choose another --ip-policy, or an address with --bind",
    IpPolicy.TURN_ONLY: "no TURN server answered: check --turn and its user name and password, or choose another "
    "--ip-policy",
}


async def gather(connection: LinkConnection, stun: StunMappings, settings: LinkSettings) -> None:
    """Open the sockets and learn their mappings. Raises GatheringError where nothing could be disclosed."""
    turn = [_parse_turn(server) for server in settings.turn]
    for address in _addresses(settings):
        await _open(connection, address, chosen=bool(settings.bind), limit=settings.config.max_candidates)
    async with asyncio.TaskGroup() as group:
        if settings.ip_policy.asks_stun:
            group.create_task(stun.gather(connection.sockets))
        if settings.ip_policy.asks_turn:
            for server in turn:
                group.create_task(_allocate(connection, server))
    connection.gathered()
    if not disclosed(connection, stun, settings):
        raise no_address(_HINTS[settings.ip_policy])


def disclosed(connection: LinkConnection, stun: StunMappings, settings: LinkSettings) -> tuple[Candidate, ...]:
    """The candidates that a code may hold: host addresses first, each transport address once."""
    hosts = [_candidate(local) for local in connection.local_candidates if local.type == "host"]
    if settings.ip_policy is IpPolicy.PUBLIC_ONLY:
        hosts = [host for host in hosts if ip_address(str(host.address)).is_global]
    known = {(str(host.address), host.port) for host in hosts}
    others = [
        Candidate(CandidateType.SERVER_REFLEXIVE, ip_address(address), port)
        for address, port in dict.fromkeys(stun.addresses)
        if (address, port) not in known
    ]
    others += [_candidate(local) for local in connection.local_candidates if local.type == "relay"]
    limit = settings.config.max_candidates
    return tuple(hosts[: max(limit - len(others), 0)] + others[:limit])


def _candidate(local: IceCandidate) -> Candidate:
    return Candidate(CandidateType(local.type), ip_address(local.host), local.port)


def _addresses(settings: LinkSettings) -> list[IpAddress]:
    if settings.ip_policy is IpPolicy.TURN_ONLY:
        return []
    if settings.bind:
        addresses = list(settings.bind)
    else:
        addresses = [ip_address(text) for text in get_host_addresses(use_ipv4=True, use_ipv6=True)]
        addresses = [a for a in addresses if not (a.is_loopback or a.is_link_local or a.is_unspecified)]
    if settings.ip_policy is IpPolicy.LAN:
        addresses = [a for a in addresses if is_local(a)]
    return list(dict.fromkeys(addresses))


async def _open(connection: LinkConnection, address: IpAddress, *, chosen: bool, limit: int) -> None:
    if len(connection.sockets) >= limit:
        return
    protocol = LinkProtocol(connection)
    loop = asyncio.get_running_loop()
    try:
        if connection.stock:
            await loop.create_datagram_endpoint(lambda: protocol, local_addr=(str(address), 0))
        else:
            open_endpoint(loop, protocol, str(address))
    except OSError as error:
        # An address may go away between being listed and being opened; one that the user named has to work.
        if chosen:
            raise GatheringError(
                "an address given with --bind cannot be used on this computer",
                hint="list the addresses of this computer with `ip address`, and give one of those",
            ) from error
        return
    if connection.stock:
        for option, size in BUFFERS:
            protocol.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, size)
    host, port = protocol.transport.get_extra_info("sockname")[:2]
    connection.add_local(protocol, local_candidate("host", host, port))


def local_candidate(kind: str, host: str, port: int) -> IceCandidate:
    """A UDP candidate of component 1, in aioice's terms (RFC 8445 §5.1.2, §5.1.1.3)."""
    return IceCandidate(
        foundation=candidate_foundation(kind, "udp", host),
        component=1,
        transport="udp",
        priority=candidate_priority(1, kind),
        host=host,
        port=port,
        type=kind,
    )


def _parse_turn(server: TurnServer) -> tuple[TurnServer, dict[str, str | int | None]]:
    try:
        parsed = parse_stun_turn_uri(server.url)
    except ValueError:
        parsed = {}
    if parsed.get("scheme") not in ("turn", "turns") or parsed["transport"] not in ("udp", "tcp"):
        raise no_turn_server()
    return server, parsed


async def _allocate(connection: LinkConnection, turn: tuple[TurnServer, dict[str, str | int | None]]) -> None:
    """Allocate at one TURN server (RFC 8656 §7). One that fails is left out."""
    server, parsed = turn
    protocol = LinkProtocol(connection)
    try:
        async with asyncio.timeout(_TURN_TIMEOUT):
            candidate, _ = await relayed_candidate(
                component=1,
                hide_related_address=True,
                protocol_factory=lambda: protocol,
                turn_server=(str(parsed["host"]), int(parsed["port"] or 0)),
                turn_username=server.username,
                turn_password=server.password,
                turn_ssl=parsed["scheme"] == "turns",
                turn_transport=str(parsed["transport"]),
            )
    except (OSError, TimeoutError, TransactionError):
        return
    connection.add_local(protocol, candidate)
