"""UDP ASSOCIATE at the relay: checked, pinned, filtered and bounded."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mayfly.runtime.rate import ByteLimiter
from mayfly.wire.address import Destination
from mayfly_relay.addresses import Address
from mayfly_relay.guard import Guard
from mayfly_relay.limits import ConnectRate, UdpLimits
from mayfly_relay.udp import UdpAssociation
from unit.relay.scripted import ScriptedResolver, guard_of


class Client:
    """The association's client: what came back, decoded, in a queue."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[tuple[Destination, bytes]] = asyncio.Queue()

    def receive(self, payload: bytes) -> None:
        decoded = Destination.decode(payload)
        assert decoded is not None
        self.inbox.put_nowait((decoded[0], payload[decoded[1] :]))


def associate(
    guard: Guard,
    client: Client,
    *,
    limits: UdpLimits | None = None,
    datagrams: ByteLimiter | None = None,
    lookups: ConnectRate | None = None,
    outbound: Sequence[Address] = (),
) -> UdpAssociation:
    return UdpAssociation(
        guard,
        client.receive,
        limits=limits or UdpLimits(),
        datagrams=datagrams or ByteLimiter(1e6, 1e6),
        lookups=lookups or ConnectRate(1e6, 1000, 5),
        outbound=outbound,
    )


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
async def local(resolver: ScriptedResolver, client: Client) -> AsyncIterator[UdpAssociation]:
    """An association that may reach loopback."""
    association = associate(guard_of(resolver, "allow 127.0.0.0/8:*", "allow [::1]:*"), client)
    yield association
    await association.close()


class Server:
    """A UDP socket that the test plays by hand."""

    def __init__(self, host: str, port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.bind((host, port))
        self.sock.setblocking(False)
        self.destination = Destination.parse_host(host, self.sock.getsockname()[1])

    async def receive(self) -> tuple[bytes, tuple[str, int]]:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(self.sock, readable.set)  # uvloop has no sock_recvfrom
        try:
            await asyncio.wait_for(readable.wait(), 10)
        finally:
            loop.remove_reader(self.sock)
        data, source = self.sock.recvfrom(65536)
        return data, source[:2]

    def received(self) -> list[bytes]:
        """What has arrived so far. Over loopback a sent datagram is there when sendto returns."""
        found: list[bytes] = []
        while True:
            try:
                found.append(self.sock.recv(65536))
            except BlockingIOError:
                return found


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server("127.0.0.1")
    yield server
    server.sock.close()


@pytest.fixture
def neighbour() -> Iterator[Server]:
    """Another machine, as far as addresses go."""
    neighbour = Server("127.0.0.2")
    yield neighbour
    neighbour.sock.close()


async def came_back(client: Client) -> tuple[Destination, bytes]:
    return await asyncio.wait_for(client.inbox.get(), 10)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_there_and_back(local: UdpAssociation, client: Client, host: str) -> None:
    server = Server(host)
    local.receive(server.destination.encode() + b"question")
    data, source = await server.receive()
    assert data == b"question"
    server.sock.sendto(b"answer", source)
    assert await came_back(client) == (server.destination, b"answer")
    server.sock.close()


async def test_what_has_an_outbound_address_leaves_from_nowhere_else(
    resolver: ScriptedResolver, client: Client, server: Server
) -> None:
    guard = guard_of(resolver, "allow 127.0.0.0/8:*", "allow [::1]:*")
    association = associate(guard, client, outbound=(ip_address("127.0.0.3"),))
    six = Server("::1")
    association.receive(six.destination.encode() + b"of a family that has none")
    association.receive(server.destination.encode() + b"x")
    assert (await server.receive())[1][0] == "127.0.0.3"
    assert six.received() == []
    six.sock.close()
    await association.close()


async def test_an_empty_datagram_travels(local: UdpAssociation, server: Server) -> None:
    local.receive(server.destination.encode())
    assert (await server.receive())[0] == b""


async def test_a_mapped_address_is_sent_to_as_ipv4(local: UdpAssociation, server: Server) -> None:
    local.receive(Destination.parse_host("::ffff:127.0.0.1", server.destination.port).encode() + b"x")
    assert (await server.receive())[0] == b"x"


async def test_replies_come_only_from_addresses_that_were_sent_to(
    local: UdpAssociation, client: Client, server: Server, neighbour: Server
) -> None:
    local.receive(server.destination.encode() + b"question")
    _, source = await server.receive()
    neighbour.sock.sendto(b"unasked", source)
    other_port = Server("127.0.0.1")
    other_port.sock.sendto(b"same address", source)
    other_port.sock.close()
    server.sock.sendto(b"answer", source)
    received = [await came_back(client), await came_back(client)]
    assert [data for _, data in received] == [b"same address", b"answer"]
    local.receive(neighbour.destination.encode() + b"now")
    await neighbour.receive()
    neighbour.sock.sendto(b"asked", source)
    assert await came_back(client) == (neighbour.destination, b"asked")


async def test_the_table_of_addresses_is_bounded(
    resolver: ScriptedResolver, client: Client, server: Server, neighbour: Server
) -> None:
    association = associate(guard_of(resolver, "allow 127.0.0.0/8:*"), client, limits=UdpLimits(max_peers=2))
    association.receive(server.destination.encode() + b"first")
    _, source = await server.receive()
    for host in ("127.0.0.3", "127.0.0.2"):
        association.receive(Destination.parse_host(host, neighbour.destination.port).encode() + b"x")
    await neighbour.receive()
    server.sock.sendto(b"forgotten", source)
    neighbour.sock.sendto(b"remembered", source)
    assert await came_back(client) == (neighbour.destination, b"remembered")
    assert client.inbox.empty()
    await association.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "inside.example", "localhost"])
async def test_refused_destinations_get_nothing(
    resolver: ScriptedResolver, client: Client, server: Server, host: str
) -> None:
    resolver.forward = {"inside.example": [["127.0.0.1"]], "localhost": [["127.0.0.1"]]}
    association = associate(guard_of(resolver, "allow inside.example:*"), client)
    association.receive(Destination.parse_host(host, server.destination.port).encode() + b"x")
    await drained(association)
    assert server.received() == []
    await association.close()


async def drained(association: UdpAssociation) -> None:
    """Wait for the lookups under way."""
    while len(association._tasks):
        await asyncio.sleep(0)


async def test_a_name_is_resolved_once_and_pinned(resolver: ScriptedResolver, client: Client, server: Server) -> None:
    resolver.forward["rebind.example"] = [["127.0.0.1"], ["127.0.0.2"]]
    association = associate(guard_of(resolver, "allow 127.0.0.1:*"), client)
    destination = Destination("rebind.example", server.destination.port)
    for data in (b"1", b"2"):
        association.receive(destination.encode() + data)
    assert [(await server.receive())[0] for _ in range(2)] == [b"1", b"2"], "in order, after one lookup"
    association.receive(destination.encode() + b"3")
    assert (await server.receive())[0] == b"3"
    assert resolver.calls == ["rebind.example"]
    await association.close()


class SilentResolver(ScriptedResolver):
    """Never answers."""

    async def addresses(self, name: str) -> list[object]:  # type: ignore[override]
        self.calls.append(name)
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


async def test_waiting_datagrams_are_bounded_and_closing_cancels_lookups(client: Client) -> None:
    resolver = SilentResolver()
    association = associate(guard_of(resolver), client, limits=UdpLimits(max_waiting=3))
    for number in range(10):
        association.receive(Destination(f"n{number}.example", 53).encode() + b"x")
    association.receive(Destination("n0.example", 53).encode() + b"x")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert resolver.calls == ["n0.example", "n1.example", "n2.example"]
    tasks = association._tasks
    await association.close()
    assert len(tasks) == 0


async def test_lookups_are_limited(resolver: ScriptedResolver, client: Client) -> None:
    association = associate(guard_of(resolver), client, lookups=ConnectRate(rate=1, burst=2, max_delay=0))
    for number in range(5):
        association.receive(Destination(f"n{number}.example", 53).encode() + b"x")
    await drained(association)
    assert len(resolver.calls) == 2
    await association.close()


async def test_datagrams_are_limited(resolver: ScriptedResolver, client: Client, server: Server) -> None:
    association = associate(guard_of(resolver, "allow 127.0.0.1:*"), client, datagrams=ByteLimiter(rate=0.001, burst=3))
    for _ in range(10):
        association.receive(server.destination.encode() + b"x")
    assert len(server.received()) == 3
    await association.close()


async def test_idle_ends_and_traffic_keeps_it_open(resolver: ScriptedResolver, client: Client, server: Server) -> None:
    association = associate(guard_of(resolver, "allow 127.0.0.1:*"), client, limits=UdpLimits(idle_timeout=0.2))
    loop = asyncio.get_running_loop()
    begin = association.idle_at
    seen = [association.idle]
    await asyncio.sleep(0.05)
    association.receive(server.destination.encode() + b"x")
    _, source = await server.receive()
    after_sending = association.idle_at
    assert after_sending >= begin + 0.05
    await asyncio.sleep(0.01)
    server.sock.sendto(b"y", source)
    await came_back(client)
    assert association.idle_at > after_sending
    await asyncio.sleep(association.idle_at - loop.time())
    seen.append(association.idle)
    assert seen == [False, True]
    await association.close()


async def test_closed_means_closed(resolver: ScriptedResolver, client: Client, server: Server) -> None:
    association = associate(guard_of(resolver, "allow 127.0.0.1:*"), client)
    association.receive(server.destination.encode() + b"x")
    sockets = list(association._sockets.values())
    await association.close()
    await association.close()
    assert [sock.fileno() for sock in sockets] == [-1]
    server.received()
    association.receive(server.destination.encode() + b"x")
    assert server.received() == []


async def test_a_full_machine_drops_and_lives(
    resolver: ScriptedResolver, client: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    association = associate(guard_of(resolver, "allow 127.0.0.1:*"), client)

    def fail(*_args: object) -> None:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", fail)
        association.receive(server.destination.encode() + b"x")
    association.receive(server.destination.encode() + b"y")
    assert server.received() == [b"y"]
    await association.close()


async def test_a_socket_that_cannot_be_watched_is_closed(
    local: UdpAssociation, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[socket.socket] = []

    def fail(sock: socket.socket, *_args: object) -> None:
        watched.append(sock)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", fail)
    local.receive(server.destination.encode() + b"x")
    assert [sock.fileno() for sock in watched] == [-1]
    assert not local._sockets


async def test_port_zero_and_fragments_are_dropped(local: UdpAssociation, resolver: ScriptedResolver) -> None:
    for payload in (
        b"",
        b"\x01",
        b"\x01\x7f\x00\x00\x01\x00\x00x",
        b"\x05\x00",
        b"\x03\x00\x00\x35",
        b"\x03\x04a b!\x00\x35",
    ):
        local.receive(payload)
    await drained(local)
    assert not local._sockets
    assert not resolver.calls


@given(payloads=st.lists(st.binary(max_size=80), max_size=20))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_payload_is_taken_or_dropped(payloads: list[bytes]) -> None:
    async def run() -> None:
        client = Client()
        # Everything is refused, so that random bytes reach nobody.
        association = associate(guard_of(ScriptedResolver(), "deny *:*"), client, limits=UdpLimits(max_peers=4))
        for payload in payloads:
            association.receive(payload)
        assert len(association._routes) <= 4
        assert not association._sockets
        await association.close()

    asyncio.run(run())
