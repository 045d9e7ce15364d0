"""Who is let in, whom we pair with, and how much an authenticated far end can make us keep."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from types import SimpleNamespace

import pytest
from aioice import Candidate, Connection, TransportPolicy, stun
from aioice.ice import CandidatePair
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mayfly.config import EngineConfig, LinkConfig
from mayfly.transport.aiortc.endpoint import UdpEndpoint
from mayfly.transport.aiortc.gather import gather, local_candidate
from mayfly.transport.aiortc.ice import LinkConnection, LinkProtocol, is_local
from mayfly.transport.aiortc.stun import StunMappings
from mayfly.transport.base import IpPolicy, LinkSettings

LIMITS = EngineConfig(max_waiting=10 * (128 + 7))


async def bound(policy: IpPolicy = IpPolicy.ALL, *addresses: str) -> LinkConnection:
    connection = LinkConnection(controlling=False, policy=policy, config=LinkConfig(max_candidates=4), limits=LIMITS)
    bind = tuple(map(ip_address, addresses or ("127.0.0.1",)))
    await gather(connection, StunMappings((), 1.0), LinkSettings(bind=bind, ip_policy=policy))
    connection.remote_username, connection.remote_password = "user", "p" * 22
    return connection


@pytest.fixture
async def connection() -> AsyncIterator[LinkConnection]:
    made = await bound()
    yield made
    await made.close()


def check_request(connection: LinkConnection, **attributes: object) -> stun.Message:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{connection.local_username}:user"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    request.attributes.update(attributes)
    return request


def pairs(connection: LinkConnection) -> list[str]:
    return [f"{pair.local_addr[0]}>{pair.remote_addr[0]}" for pair in connection._check_list]


async def test_data_is_taken_from_candidates_alone_and_in_bounds(connection: LinkConnection) -> None:
    protocol = connection.sockets[0]
    friend, stranger = ("127.0.0.1", 1111), ("127.0.0.1", 2222)
    await connection.add_remote_candidate(local_candidate("host", *friend))
    protocol.datagram_received(b"\x16stranger", stranger)
    protocol.datagram_received(b"\x16" + bytes(LIMITS.max_datagram), friend)
    protocol.datagram_received(b"\x80media", friend)
    protocol.datagram_received(b"", friend)
    protocol.datagram_received(b"\x16" + bytes(LIMITS.max_waiting - 128), friend)
    assert connection._queue.qsize() == 0
    for _ in range(50):
        protocol.datagram_received(b"\x16friend", friend)
    assert connection._queue.qsize() == 10


class Sink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.runs: list[tuple[bytes, int]] = []
        self.batches = 0
        self.ends = 0

    def receive_run(self, run: memoryview, segment: int) -> None:
        self.runs.append((bytes(run), segment))

    def received(self) -> None:
        self.batches += 1

    def lost(self) -> None:
        self.ends += 1


async def test_a_sink_gets_runs_whole_from_proven_sources_alone(connection: LinkConnection) -> None:
    protocol, sink = connection.sockets[0], Sink()
    friend, stranger = ("127.0.0.1", 1111), ("127.0.0.1", 2222)
    await connection.add_remote_candidate(local_candidate("host", *friend))
    protocol.datagram_received(b"\x17early", friend)
    connection.feed(sink)
    run = b"\x17one\x16two\x17e"
    for source in (friend, stranger):
        protocol.run_received(memoryview(run), 4, source)
        protocol.runs_received()
    largest = bytes([23]) * LIMITS.max_datagram
    protocol.run_received(memoryview(largest + b"\x17"), LIMITS.max_datagram + 1, friend)
    protocol.run_received(memoryview(largest), LIMITS.max_datagram, friend)
    protocol.datagram_received(b"\x17relayed", friend)
    protocol.datagram_received(largest, friend)
    protocol.datagram_received(b"\x17stranger", stranger)
    whole = (largest, len(largest))
    assert sink.runs == [(b"\x17early", 6), (run, 4), whole, (b"\x17relayed", 8), whole]
    assert sink.batches == 4
    assert connection._queue.empty()


async def test_a_run_of_many_kinds_is_taken_apart(connection: LinkConnection) -> None:
    """The kernel joins what comes from one sender, and knows nothing of what is inside."""
    protocol, sink = connection.sockets[0], Sink()
    friend = ("127.0.0.1", 1111)
    await connection.add_remote_candidate(local_candidate("host", *friend))
    connection.feed(sink)
    connection._early_checks_done = True
    request = check_request(connection)
    request.add_message_integrity(connection.local_password.encode())
    answered: list[stun.Message] = []
    connection.request_received = lambda message, addr, protocol: answered.append(message)  # type: ignore[method-assign]
    size = len(bytes(request))
    data, media = b"\x17" * size, b"\x80" * size
    for others in (bytes(request), media, bytes(request) + media):
        sink.runs.clear()
        protocol.run_received(memoryview(data + others + data[:9]), size, friend)
        assert sink.runs == [(data, size), (data[:9], 9)]
    assert [message.transaction_id for message in answered] == [request.transaction_id] * 2


async def test_a_run_that_comes_before_the_sink_waits_for_it(connection: LinkConnection) -> None:
    protocol, sink, friend = connection.sockets[0], Sink(), ("127.0.0.1", 1111)
    await connection.add_remote_candidate(local_candidate("host", *friend))
    protocol.run_received(memoryview(b"\x17one\x17two"), 4, friend)
    protocol.runs_received()
    connection.feed(sink)
    assert sink.runs == [(b"\x17one", 4), (b"\x17two", 4)]


@pytest.mark.parametrize(("first", "taken"), [(19, False), (20, True), (63, True), (64, False)])
async def test_only_what_begins_like_dtls_is_data(connection: LinkConnection, first: int, taken: bool) -> None:
    """RFC 7983 §7."""
    protocol, friend = connection.sockets[0], ("127.0.0.1", 1111)
    await connection.add_remote_candidate(local_candidate("host", *friend))
    protocol.datagram_received(bytes([first, 1, 2]), friend)
    assert connection._queue.qsize() == taken
    sink = Sink()
    connection.feed(sink)
    sink.runs.clear()
    protocol.run_received(memoryview(bytes([first, 1, 2])), 3, friend)
    assert len(sink.runs) == taken


async def test_a_run_leaves_once(connection: LinkConnection) -> None:
    runs: list[bytes] = []
    endpoint = connection.sockets[0].transport
    assert isinstance(endpoint, UdpEndpoint)
    endpoint.send_run = lambda run, segment, to: runs.append(bytes(run))  # type: ignore[method-assign]
    endpoint.sendto = lambda data, to: runs.append(bytes(data))  # type: ignore[method-assign]
    connection._nominated[1] = CandidatePair(connection.sockets[0], local_candidate("host", "127.0.0.1", 1111))
    connection.send_run(b"aabbc", 2)
    assert runs == [b"aabbc"]


@pytest.mark.parametrize("early", [False, True])
async def test_the_loss_of_the_socket_in_use_alone_is_told(early: bool) -> None:
    connection, sink = await bound(IpPolicy.ALL, "127.0.0.1", "127.0.0.2"), Sink()
    used, other = connection.sockets
    for socket_of_ours in (used, other):  # two components; data goes by the first
        pair = CandidatePair(socket_of_ours, local_candidate("host", "127.0.0.1", 1111))
        connection._nominated.setdefault(1, pair)
    if not early:
        connection.feed(sink)
    connection.protocol_lost(other)
    assert sink.ends == 0
    connection.protocol_lost(used)
    if early:
        connection.feed(sink)
    assert sink.ends == 1
    await connection.close()


async def test_the_way_is_held_open_to_what_the_far_end_told_of(connection: LinkConnection) -> None:
    sent: list[tuple[stun.Message, tuple[str, int]]] = []
    protocol = connection.sockets[0]
    protocol.send_stun = lambda message, addr: sent.append((message, addr))  # type: ignore[method-assign]
    told, found = local_candidate("host", "127.0.0.1", 1111), local_candidate("prflx", "127.0.0.1", 2222)
    connection._check_list += [CandidatePair(protocol, told), CandidatePair(protocol, found)]
    connection.hold_open()
    ((message, address),) = sent
    assert address == ("127.0.0.1", 1111)
    assert message.message_class is stun.Class.INDICATION and "FINGERPRINT" in message.attributes


async def test_packets_may_be_fragmented_once_that_is_asked_for(connection: LinkConnection) -> None:
    asked: list[bool] = []
    endpoint = connection.sockets[0].transport
    assert isinstance(endpoint, UdpEndpoint)
    endpoint.let_fragment = lambda: asked.append(True)  # type: ignore[method-assign]
    connection.let_fragment()  # there is no path yet
    connection._nominated[1] = CandidatePair(connection.sockets[0], local_candidate("host", "127.0.0.1", 1111))
    connection.let_fragment()
    assert asked == [True]


async def test_a_sink_is_told_of_the_end(connection: LinkConnection) -> None:
    sink = Sink()
    connection.feed(sink)
    assert not connection.gone
    await connection.close()
    assert connection.gone and sink.ends >= 1
    with pytest.raises(ConnectionError):
        connection.send_run(b"x", 1)


async def test_a_sink_that_comes_too_late_is_told_at_once(connection: LinkConnection) -> None:
    await connection.close()
    sink = Sink()
    connection.feed(sink)
    assert sink.ends == 1


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


async def test_runs_to_a_relay_leave_one_by_one(connection: LinkConnection) -> None:
    protocol = LinkProtocol(connection)
    protocol.local_candidate = local_candidate("relay", "127.0.0.9", 9)
    protocol.transport = relayed = Relayed(protocol)  # type: ignore[assignment]
    pair = CandidatePair(protocol, connection_candidate := local_candidate("host", "127.0.0.1", 1111))
    connection_candidate._network_host = "127.0.0.1"
    connection._nominated[1] = pair
    connection.send_run(memoryview(b"aabbc"), 2)
    assert relayed.sent == [(part, ("127.0.0.1", 1111)) for part in (b"aa", b"bb", b"c")]
    assert all(type(data) is bytes for data, _ in relayed.sent)


@pytest.mark.parametrize("there", [True, False])
async def test_a_turn_server_that_is_gone_is_not_waited_for(
    connection: LinkConnection, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr("mayfly.transport.aiortc.ice._CLOSE_TIMEOUT", 60.0 if there else 0.0)
    protocol = LinkProtocol(connection)
    protocol.local_candidate = local_candidate("relay", "127.0.0.9", 9)
    said: list[bool] = []

    async def goodbye() -> None:
        try:
            await (asyncio.sleep(0) if there else asyncio.get_running_loop().create_future())
            said.append(True)
        finally:
            protocol.connection_lost(None)

    class Turn(Relayed):
        def close(self) -> None:
            self._TurnTransport__close_task = asyncio.get_running_loop().create_task(goodbye())

    protocol.transport = Turn(protocol)  # type: ignore[assignment]
    await protocol.close()
    assert said == [True] * there


@pytest.mark.parametrize("policy", IpPolicy)
def test_who_hides_behind_turn_looks_no_name_up(policy: IpPolicy) -> None:
    connection = LinkConnection(controlling=True, policy=policy, config=LinkConfig(), limits=LIMITS)
    relayed = connection._transport_policy is TransportPolicy.RELAY
    assert relayed is (policy is IpPolicy.TURN_ONLY)


async def test_waiting_datagrams_make_room_when_they_are_read(connection: LinkConnection) -> None:
    friend = ("127.0.0.1", 1111)
    await connection.add_remote_candidate(local_candidate("host", *friend))
    connection._nominated[1] = CandidatePair(connection.sockets[0], connection.remote_candidates[0])
    for number in range(30):
        connection.accept_data(b"\x16%d" % number, friend)
        assert await connection.recv() == b"\x16%d" % number
    assert connection._queued == 0


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.binary(max_size=120), st.booleans())
def test_no_datagram_raises(data: bytes, stunlike: bool) -> None:
    async def attack() -> None:
        connection = await bound()
        packet = data
        if stunlike:
            packet = b"\x00\x01" + len(data).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + data
        connection.sockets[0].datagram_received(packet, ("127.0.0.1", 9))
        assert connection._queue.qsize() == 0
        await connection.close()

    asyncio.run(attack())


async def test_a_check_without_priority_is_refused(
    connection: LinkConnection, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.setblocking(False)
        request = check_request(connection)
        del request.attributes["PRIORITY"]
        request.add_message_integrity(connection.local_password.encode())
        address = connection.sockets[0].local_candidate
        peer.sendto(bytes(request), (address.host, address.port))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            response = stun.parse_message(await loop.sock_recv(peer, 2000))
    assert response.error_code == 400
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def answers(connection: LinkConnection) -> list[tuple[stun.Class, tuple[str, int]]]:
    """What is answered from now on, and to whom."""
    told: list[tuple[stun.Class, tuple[str, int]]] = []
    protocol = connection.sockets[0]
    protocol.send_stun = lambda message, addr: told.append((message.message_class, addr))  # type: ignore[method-assign]
    return told


async def test_a_check_is_answered(connection: LinkConnection) -> None:
    told, far = answers(connection), ("127.0.0.1", 1111)
    request = check_request(connection)
    request.add_message_integrity(connection.local_password.encode())
    connection.request_received(request, far, connection.sockets[0])
    assert told == [(stun.Class.RESPONSE, far)]


async def test_checks_that_come_before_the_answer_are_answered_once_it_is_there(
    connection: LinkConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A far end that hears that the way is open begins DTLS, while a person still carries its answer to us."""
    told, far = answers(connection), ("127.0.0.1", 1111)
    connection.remote_username = None
    first, second = (check_request(connection) for _ in range(2))
    for request in (first, second, first):
        request.attributes.pop("MESSAGE-INTEGRITY", None)
        request.add_message_integrity(connection.local_password.encode())
        connection.request_received(request, far, connection.sockets[0])
    assert told == []
    connection.remote_username = "user"
    kept: list[bytes] = []

    async def connect(self: Connection) -> None:
        kept.extend(message.transaction_id for message, _, _ in self._early_checks)

    monkeypatch.setattr(Connection, "connect", connect)
    await connection.connect()
    assert told == [(stun.Class.RESPONSE, far)] * 2, "one that was repeated is answered once"
    assert kept == [first.transaction_id, second.transaction_id], "and each begins one of ours"


@pytest.mark.parametrize("wrong", ["method", "unsigned", "username", "password", "nameless"])
async def test_no_check_of_a_stranger_is_kept_until_the_answer(connection: LinkConnection, wrong: str) -> None:
    told, far = answers(connection), ("127.0.0.1", 1111)
    connection.remote_username = None
    request = check_request(connection)
    if wrong == "method":
        request.message_method = stun.Method.ALLOCATE
    if wrong == "username":
        request.attributes["USERNAME"] = "somebody:user"
    if wrong == "nameless":
        del request.attributes["USERNAME"]
    if wrong != "unsigned":
        request.add_message_integrity(b"guess" if wrong == "password" else connection.local_password.encode())
    connection.request_received(request, far, connection.sockets[0])
    assert told == [(stun.Class.ERROR, far)]
    assert not connection._early_checks


async def test_learned_addresses_are_bounded(connection: LinkConnection) -> None:
    connection._early_checks_done = True
    request = check_request(connection)
    for port in range(10_000, 10_100):
        connection.check_incoming(request, ("127.0.0.1", port), connection.sockets[0])
    assert len(connection._remote_candidates) == len(connection._check_list) == 8


async def test_offered_addresses_are_bounded(connection: LinkConnection) -> None:
    for port in range(10_000, 10_100):
        await connection.add_remote_candidate(local_candidate("host", "127.0.0.1", port))
    assert len(connection.remote_candidates) == len(connection._check_list) == 4


@pytest.mark.parametrize(
    ("host", "goes"),
    [
        ("0.0.0.0", False),
        ("255.255.255.255", False),
        ("224.0.0.1", False),
        ("::", False),
        ("ff02::1", False),
        ("::ffff:192.0.2.1", False),
        ("example.org", False),
        ("192.0.2.1", True),
        ("2001:db8::1", True),
    ],
)
async def test_no_packet_goes_where_it_should_not(connection: LinkConnection, host: str, goes: bool) -> None:
    also_at(connection, "host", "192.0.2.9")
    also_at(connection, "host", "2001:db8::9")
    await connection.add_remote_candidate(Candidate("1", 1, "udp", 1, host, 5000, "host"))
    assert len(connection._check_list) == goes


@pytest.mark.parametrize(
    ("host", "resolved", "pairs"),
    [
        ("192.168.1.5", "192.168.1.5", ["192.0.2.9", "203.0.113.9"]),
        ("x.local", "192.168.1.5", ["192.0.2.9"]),
        ("127.0.0.5", "127.0.0.5", ["127.0.0.1"]),
    ],
)
async def test_a_turn_server_learns_of_no_name_and_no_loopback(
    connection: LinkConnection, host: str, resolved: str, pairs: list[str]
) -> None:
    also_at(connection, "host", "192.0.2.9")
    also_at(connection, "relay", "203.0.113.9")
    connection._add_remote_candidate(Candidate("1", 1, "udp", 1, host, 5000, "host"), resolved)
    connection._pair_remote_candidate(connection._remote_candidates[0])
    assert sorted({pair.local_addr[0] for pair in connection._check_list}) == pairs
    assert [protocol.local_candidate.host for protocol in connection.sockets] == ["127.0.0.1", "192.0.2.9"]


async def test_port_zero_is_no_destination(connection: LinkConnection) -> None:
    await connection.add_remote_candidate(local_candidate("host", "127.0.0.1", 0))
    connection._early_checks_done = True
    connection.check_incoming(check_request(connection), ("127.0.0.1", 0), connection.sockets[0])
    assert connection._check_list == []


async def test_loopback_pairs_with_loopback_of_its_family() -> None:
    connection = await bound(IpPolicy.ALL, "127.0.0.1", "::1")
    for host in ("127.0.0.2", "::1", "192.168.1.1", "2001:db8::1"):
        await connection.add_remote_candidate(local_candidate("host", host, 5000))
    assert sorted(pairs(connection)) == ["127.0.0.1>127.0.0.2", "::1>::1"]
    await connection.close()


async def test_lan_checks_no_public_address() -> None:
    connection = await bound(IpPolicy.LAN)
    connection._early_checks_done = True
    assert not connection._usable(ip_address("8.8.8.8"), 1) and connection._usable(ip_address("192.168.0.1"), 1)
    connection.check_incoming(check_request(connection), ("8.8.8.8", 5), connection.sockets[0])
    await connection.add_remote_candidate(local_candidate("host", "8.8.4.4", 5))
    connection.check_incoming(check_request(connection), ("8.8.4.4", 5), connection.sockets[0])
    assert connection._check_list == []
    connection.check_incoming(check_request(connection), ("192.168.0.1", 5), connection.sockets[0])
    assert len(connection._check_list) == 1
    await connection.close()


async def test_role_conflicts_without_end_fail_the_pair(connection: LinkConnection) -> None:
    asked = 0

    async def conflict(*_args: object, **_kwargs: object) -> tuple[stun.Message, tuple[str, int]]:
        nonlocal asked
        asked += 1
        error = stun.Message(stun.Method.BINDING, stun.Class.ERROR)
        error.attributes["ERROR-CODE"] = (487, "Role Conflict")
        raise stun.TransactionFailed(error)

    await connection.add_remote_candidate(local_candidate("host", "127.0.0.1", 5000))
    connection.sockets[0].request = conflict  # type: ignore[method-assign]
    pair = connection._check_list[0]
    role = connection.ice_controlling
    connection.switch_role(not role)
    assert connection.ice_controlling is not role
    await connection.check_start(pair)
    assert pair.state is pair.State.FAILED and asked < 12


@pytest.mark.parametrize("controlling", [True, False])
async def test_the_pair_in_use_is_nominated_again_by_each_check(connection: LinkConnection, controlling: bool) -> None:
    connection.ice_controlling = controlling
    used, other = (CandidatePair(connection.sockets[0], local_candidate("host", "127.0.0.1", port)) for port in (1, 2))
    connection._nominated[1] = used
    again, never = (connection.build_request(pair, nominate=False).attributes for pair in (used, other))
    assert ("USE-CANDIDATE" in again) is controlling and "USE-CANDIDATE" not in never


async def test_a_check_that_found_nobody_begins_anew_when_the_far_end_comes(
    connection: LinkConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was dropped at the far end's NAT, and would be repeated half a minute later."""
    now = 100.0
    clock = SimpleNamespace(time=lambda: now)
    monkeypatch.setattr("mayfly.transport.aiortc.ice.asyncio", SimpleNamespace(get_running_loop=lambda: clock))
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 60.0)
    connection._early_checks_done = True
    protocol = connection.sockets[0]
    sent: list[tuple[str, int]] = []
    protocol.send_stun = lambda message, addr: sent.append(addr)  # type: ignore[method-assign]
    far, elsewhere, stranger = (("127.0.0.1", port) for port in (1111, 3333, 2222))

    async def comes(source: tuple[str, int]) -> list[tuple[str, int]]:
        """What is sent when a check from there has come."""
        sent.clear()
        connection.check_incoming(check_request(connection), source, protocol)
        await asyncio.sleep(0)
        return sent

    for address in (far, elsewhere):
        await connection.add_remote_candidate(local_candidate("host", *address))
    for pair in connection._check_list:
        connection.check_start_task(pair)
    await asyncio.sleep(0)
    assert sent == [far, elsewhere]
    now = 102.0
    connection.check_start_task(connection._check_list[0])  # is under way, and stays as old as it is
    now = 102.9
    assert await comes(far) == [], "its answer may still be on the way"
    now = 103.1
    before = connection._check_list[0].task
    assert before is not None
    assert await comes(far) == [far]
    assert before.cancelled()
    now = 105.9
    assert await comes(far) == [], "the new one is young"
    assert await comes(stranger) == [stranger]
    assert {pair.state for pair in connection._check_list} == {CandidatePair.State.IN_PROGRESS}


@pytest.mark.parametrize("text", ["10.0.0.1", "100.64.0.1", "192.168.1.1", "fd00::1", "127.0.0.1", "169.254.1.1"])
def test_local_addresses(text: str) -> None:
    assert is_local(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "2600::1"])
def test_public_addresses(text: str) -> None:
    assert not is_local(ip_address(text))
