"""aioice with our limits: whom we pair with, whose datagrams are let in, and holes kept open while a code travels."""

# aioice keeps its check list, sockets and candidates private, and these are what this file adds limits to.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Protocol

from aioice import Candidate as IceCandidate
from aioice import Connection, TransportPolicy, mdns, stun
from aioice.ice import CandidatePair, StunProtocol

from mayfly.config import EngineConfig, LinkConfig
from mayfly.transport.aiortc.endpoint import UdpEndpoint
from mayfly.transport.base import IpPolicy

_MAX_ROLE_CONFLICTS = 8
_STUN_COOKIE = stun.COOKIE.to_bytes(4, "big")
_CLOSE_TIMEOUT = 1.0
_CHECK_AGE = 3.0
"""Seconds after which a check of ours that is not answered yet begins anew when the far end comes. Sooner, its answer
may still be on the way, and it is repeated by itself within two seconds."""

_BOOKKEEPING = 128
"""Bytes that a waiting datagram costs beside its own."""

IpAddress = IPv4Address | IPv6Address


class DataSink(Protocol):
    """Who takes the data of the connected path, past every queue."""

    def receive_run(self, run: memoryview, segment: int) -> None:
        """Take datagrams of `segment` bytes, the last perhaps shorter. The buffer is used again after the call."""

    def received(self) -> None:
        """What came at once has been given to `receive_run`."""

    def lost(self) -> None:
        """The path is gone."""


class LinkProtocol(StunProtocol):
    """One UDP socket, or one TURN allocation. Sorts datagrams by their first byte (RFC 7983 §7)."""

    def __init__(self, connection: LinkConnection) -> None:
        super().__init__(connection)
        self._connection = connection

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """Let in DTLS from addresses that proved themselves by ICE, and well-formed STUN from anybody."""
        if not data or isinstance(data, str):
            return
        if 20 <= data[0] <= 63:
            self._connection.accept_data(data, (addr[0], addr[1]))
        elif data[0] <= 3 and data[4:8] == _STUN_COOKIE:
            try:
                super().datagram_received(data, addr)
            except (ValueError, KeyError, struct.error):
                # aioice lets some malformed attributes through as these. Anybody can send them, so they mean nothing.
                return

    def run_received(self, run: memoryview, segment: int, source: tuple[str, int]) -> None:
        """Take datagrams of `segment` bytes from one source, the last perhaps shorter."""
        if _all_dtls(run, segment) and self._connection.accept_run(run, segment, source):
            return
        for begin in range(0, len(run), segment):
            self.datagram_received(bytes(run[begin : begin + segment]), source)

    def runs_received(self) -> None:
        """All that one wake-up found has been given to `run_received`."""
        self._connection.accepted()

    async def close(self) -> None:
        """Free the socket, or the TURN allocation if its server answers in time."""
        closing = asyncio.get_running_loop().create_task(super().close())
        done, _ = await asyncio.wait({closing}, timeout=_CLOSE_TIMEOUT)
        if not done:
            # Only TURN waits, for up to a minute, to say goodbye to a server that is gone.
            goodbye: asyncio.Task[None] | None = getattr(self.transport, "_TurnTransport__close_task", None)
            if goodbye is not None:
                goodbye.cancel()
        await closing


def _all_dtls(run: memoryview, segment: int) -> bool:
    """Whether the first byte of each datagram says so."""
    if segment >= len(run):
        return 20 <= run[0] <= 63
    kinds = bytes(run[::segment])
    return min(kinds) >= 20 and max(kinds) <= 63


class LinkConnection(Connection):
    """ICE of one link. The remote side never ends its candidates, so only a caller's timeout gives up."""

    def __init__(
        self, *, controlling: bool, policy: IpPolicy, config: LinkConfig, limits: EngineConfig, stock: bool = False
    ) -> None:
        """`stock` leaves the sockets to asyncio, as aioice does, instead of reading and writing them in batches."""
        relayed = policy is IpPolicy.TURN_ONLY
        super().__init__(
            ice_controlling=controlling,
            transport_policy=TransportPolicy.RELAY if relayed else TransportPolicy.ALL,
        )
        self.stock = stock
        self._policy = policy
        self._limits = limits
        self._max_candidates = config.max_candidates
        self._sources: set[tuple[str, int]] = set()
        self._role_conflicts = 0
        self._sink: DataSink | None = None
        self._queued = 0
        self._begun: dict[CandidatePair, float] = {}

    # our own side

    def add_local(self, protocol: LinkProtocol, candidate: IceCandidate) -> None:
        """Use a socket that was bound, or an allocation that was made."""
        protocol.local_candidate = candidate
        self._protocols.append(protocol)
        self._local_candidates.append(candidate)

    def gathered(self) -> None:
        """All sockets are there."""
        self._local_candidates_start = self._local_candidates_end = True

    @property
    def sockets(self) -> list[LinkProtocol]:
        """Sockets on host addresses, in the order in which they were added."""
        return [p for p in self._protocols if isinstance(p, LinkProtocol) and p.local_candidate.type == "host"]

    @property
    def nominated(self) -> CandidatePair | None:
        """The pair in use, once connected."""
        return self._nominated.get(1)

    @property
    def gone(self) -> bool:
        """Whether the connection has ended; by itself it does so when the far end's consent expires (RFC 7675)."""
        return self._closing

    def hold_open(self) -> None:
        """Send a Binding Indication to what the far end told us of (RFC 8445 §11), so that our NAT lets it in."""
        for pair in self._check_list:
            if pair.remote_candidate.type != "prflx":
                indication = stun.Message(stun.Method.BINDING, stun.Class.INDICATION)
                indication.add_fingerprint()
                pair.protocol.send_stun(indication, pair.remote_addr)

    # datagrams

    def feed(self, sink: DataSink) -> None:
        """From now on give data to `sink` at once instead of to `recv()`, beginning with what waits for that."""
        self._sink = sink
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is None:
                sink.lost()
            else:
                sink.receive_run(memoryview(waiting[0]), len(waiting[0]))

    def accept_run(self, run: memoryview, segment: int, source: tuple[str, int]) -> bool:
        """Take DTLS datagrams of one source at once, or say that they must be looked at one by one."""
        if self._sink is None:
            return False
        if source in self._sources and segment <= self._limits.max_datagram:
            self._sink.receive_run(run, segment)
        return True

    def accepted(self) -> None:
        """What came at once has been accepted."""
        if self._sink is not None:
            self._sink.received()

    def accept_data(self, data: bytes, source: tuple[str, int]) -> None:
        """Take a datagram for DTLS if it comes from a candidate of the far end, and there is room."""
        if source not in self._sources or len(data) > self._limits.max_datagram:
            return
        if self._sink is not None:
            self._sink.receive_run(memoryview(data), len(data))
            self._sink.received()
        elif self._queued + len(data) + _BOOKKEEPING <= self._limits.max_waiting:
            self._queued += len(data) + _BOOKKEEPING
            self._queue.put_nowait((data, 1))

    async def recvfrom(self) -> tuple[bytes, int]:
        """The next datagram, while there is no sink. Raises ConnectionError once the path is gone."""
        data, component = await super().recvfrom()
        self._queued -= len(data) + _BOOKKEEPING
        return data, component

    def send_run(self, run: bytes | memoryview, segment: int) -> None:
        """Send datagrams of `segment` bytes, the last perhaps shorter, to the far end.

        Raises ConnectionError when there is no path.
        """
        pair = self._nominated.get(1)
        if pair is None:
            raise ConnectionError("there is no path to the other side")
        transport = pair.protocol.transport
        if isinstance(transport, UdpEndpoint):
            transport.send_run(run, segment, pair.remote_addr)
            return
        for begin in range(0, len(run), segment):
            transport.sendto(bytes(run[begin : begin + segment]), pair.remote_addr)

    def let_fragment(self) -> None:
        """From now on let datagrams that are too large for the path go in fragments."""
        pair = self._nominated.get(1)
        if pair is not None and isinstance(pair.protocol.transport, UdpEndpoint):
            pair.protocol.transport.let_fragment()

    def protocol_lost(self, protocol: StunProtocol) -> None:
        """Tell whoever receives, if it was the socket or the allocation in use."""
        super().protocol_lost(protocol)
        if self._sink is not None and any(pair.protocol is protocol for pair in self._nominated.values()):
            self._sink.lost()

    async def close(self) -> None:
        """Free the sockets. Whoever receives is told."""
        await super().close()
        if self._sink is not None:
            self._sink.lost()

    def data_received(self, data: bytes, component: int) -> None:
        """Drop what aioice could not read as STUN: data has been taken out before."""

    # the far side

    def _pair_remote_candidate(self, remote_candidate: IceCandidate) -> None:
        remote = ip_address(remote_candidate._network_host)
        if not self._usable(remote, remote_candidate.port):
            return
        named = mdns.is_mdns_hostname(remote_candidate.host)
        for protocol in self._protocols:
            relayed = protocol.local_candidate.type == "relay"
            # A TURN server must not learn what hides behind an mDNS name, nor is our own loopback any of its business.
            fits = not (named or remote.is_loopback) if relayed else _is_loopback(protocol) is remote.is_loopback
            fits = fits and protocol.local_candidate.can_pair_with(remote_candidate)
            if fits and self._find_pair(protocol, remote_candidate) is None:
                self._check_list.append(CandidatePair(protocol, remote_candidate))

    def _add_remote_candidate(self, remote_candidate: IceCandidate, network_host: str) -> None:
        if len(self._remote_candidates) < self._max_candidates:
            super()._add_remote_candidate(remote_candidate, network_host)
            known = {(c._network_host, c.port) for c in self._remote_candidates}
            self._sources |= {(host, port) for host, port in known if self._usable(ip_address(host), port)}

    def request_received(self, message: stun.Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        """Answer a check. One without PRIORITY is malformed (RFC 8445 §7.3).

        One that comes before the answer is kept, and answered in `connect`. An answerer of another stack that hears
        that the way is open begins DTLS; it would repeat its ClientHello ever more seldom, and give up, while a person
        still carries its answer to us.
        """
        if message.message_method == stun.Method.BINDING and "PRIORITY" not in message.attributes:
            self.respond_error(message, addr, protocol, (400, "Bad Request"))
        elif self.remote_username is None and self._authentic(message):
            self._early_checks.append((message, addr, protocol))
        else:
            super().request_received(message, addr, protocol)

    async def connect(self) -> None:
        """Answer the checks that came early, and begin our own. Raises ConnectionError when none succeeds."""
        waiting = {message.transaction_id: (message, addr, protocol) for message, addr, protocol in self._early_checks}
        self._early_checks.clear()
        for check in waiting.values():
            super().request_received(*check)  # which keeps them for what follows
        await super().connect()

    def _authentic(self, message: stun.Message) -> bool:
        signed = {"USERNAME", "MESSAGE-INTEGRITY"} <= message.attributes.keys()
        return (
            message.message_method == stun.Method.BINDING
            and signed
            and self._valid_username(message.attributes["USERNAME"])
            and message.check_message_integrity(self.local_password.encode())
        )

    def check_incoming(self, message: stun.Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        """Take note of an authenticated check; its source may send data from now on."""
        full = len(self._sources) >= 2 * self._max_candidates
        if addr not in self._sources and (full or not self._usable(ip_address(addr[0]), addr[1])):
            return
        self._sources.add(addr)
        self._begin_anew(addr, protocol)
        super().check_incoming(message, addr, protocol)

    def _begin_anew(self, source: tuple[str, int], protocol: StunProtocol) -> None:
        """Let a check that is under way begin anew where the far end's own comes by its pair (RFC 8445 §7.3.1.4).

        aioice would repeat it ever more seldom, up to half a minute apart. All that went before may have been dropped
        at the far end's NAT, which lets us in from now on: an offerer sends nothing before it has our answer.
        """
        now = asyncio.get_running_loop().time()
        for pair in self._check_list:
            meant = pair.protocol is protocol and pair.remote_addr == source
            old = pair.state is CandidatePair.State.IN_PROGRESS and now - self._begun.get(pair, now) > _CHECK_AGE
            if meant and old and pair.task is not None:
                pair.task.cancel()
                pair.task = None
                self.check_state(pair, CandidatePair.State.WAITING)

    def check_start_task(self, pair: CandidatePair) -> None:
        """Begin a check, and note when."""
        if pair.task is None:
            self._begun[pair] = asyncio.get_running_loop().time()
        super().check_start_task(pair)

    def switch_role(self, ice_controlling: bool) -> None:
        """Follow a role conflict, which two honest ends have at most once."""
        self._role_conflicts += 1
        super().switch_role(ice_controlling)

    async def check_start(self, pair: CandidatePair) -> None:
        """Check a pair. aioice starts over, one call deeper, on each role conflict that the far end claims."""
        if self._role_conflicts > _MAX_ROLE_CONFLICTS:
            self.check_state(pair, CandidatePair.State.FAILED)
            self.check_complete(pair)
            return
        await super().check_start(pair)

    def build_request(self, pair: CandidatePair, nominate: bool) -> stun.Message:
        """A check. The pair in use is nominated again by each one for consent, as by libwebrtc.

        So where our NAT shows us at another address from now on, a far end that goes by nominations follows us there.
        """
        return super().build_request(pair, nominate or pair is self.nominated)

    def _usable(self, address: IpAddress, port: int) -> bool:
        if not port or address.is_multicast or address.is_unspecified or _is_broadcast(address):
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            return False
        return self._policy is not IpPolicy.LAN or is_local(address)


def is_local(address: IpAddress) -> bool:
    """Whether an address means something in its own network alone: private, CGNAT, link-local or loopback."""
    return not address.is_global


def _is_loopback(protocol: StunProtocol) -> bool:
    return ip_address(protocol.local_candidate.host).is_loopback


def _is_broadcast(address: IpAddress) -> bool:
    return address == IPv4Address("255.255.255.255")
