"""Whose datagrams are let in, and how data comes and goes."""

from __future__ import annotations

import asyncio

import pytest
from aioice import TransportPolicy, stun
from aioice.ice import CandidatePair
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mayfly.config import LinkConfig
from mayfly.transport.aiortc.endpoint import UdpEndpoint
from mayfly.transport.aiortc.gather import local_candidate
from mayfly.transport.aiortc.ice import LinkConnection, LinkProtocol
from mayfly.transport.base import IpPolicy
from support.ice import LIMITS, Relayed, bound, check_request


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


async def test_a_run_leaves_once(connection: LinkConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[bytes] = []
    for name in ("send_run", "sendto"):
        monkeypatch.setattr(UdpEndpoint, name, lambda self, data, *to: runs.append(bytes(data)))
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
    before = connection.gone
    await connection.close()
    assert (before, connection.gone) == (False, True) and sink.ends >= 1
    with pytest.raises(ConnectionError):
        connection.send_run(b"x", 1)


async def test_a_sink_that_comes_too_late_is_told_at_once(connection: LinkConnection) -> None:
    await connection.close()
    sink = Sink()
    connection.feed(sink)
    assert sink.ends == 1


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
    events: list[str] = []

    async def goodbye() -> None:
        try:
            await (asyncio.sleep(0) if there else asyncio.get_running_loop().create_future())
            events.append("said")
        finally:
            protocol.connection_lost(None)
            events.append("freed")

    class Turn(Relayed):
        def close(self) -> None:
            self._TurnTransport__close_task = asyncio.get_running_loop().create_task(goodbye())

    protocol.transport = Turn(protocol)  # type: ignore[assignment]
    await protocol.close()
    assert events == (["said", "freed"] if there else ["freed"])


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
