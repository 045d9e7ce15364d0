"""Connections go to exactly the addresses that were checked, and nothing is left open."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import uvloop

import mayfly_relay.direct
from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.direct import AddrInfo, DirectUpstream, connect_one
from unit.relay.scripted import ScriptedResolver, guard_of


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def open_sockets() -> int:
    gc.collect()
    return sum(1 for fd in Path("/proc/self/fd").iterdir() if _is_socket(fd))


def _is_socket(fd: Path) -> bool:
    try:
        return str(fd.readlink()).startswith("socket:")
    except OSError:
        return False


async def reply_of(upstream: DirectUpstream, destination: Destination) -> Reply:
    with pytest.raises(UpstreamError) as caught:
        await upstream.connect(destination)
    return caught.value.reply


async def test_a_connected_socket(resolver: ScriptedResolver, listener: socket.socket) -> None:
    upstream = DirectUpstream(guard_of(resolver, "allow 127.0.0.1:*"))
    sock = await upstream.connect(Destination.parse_host("127.0.0.1", port_of(listener)))
    with sock, listener.accept()[0]:
        assert sock.getpeername() == listener.getsockname()
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not sock.getblocking()


async def test_a_mapped_address_is_connected_to_as_ipv4(resolver: ScriptedResolver, listener: socket.socket) -> None:
    upstream = DirectUpstream(guard_of(resolver, "allow 127.0.0.1:*"))
    with await upstream.connect(Destination.parse_host("::ffff:127.0.0.1", port_of(listener))) as sock:
        assert sock.family == socket.AF_INET


async def test_with_outbound_addresses_it_leaves_from_one_of_them(
    resolver: ScriptedResolver, listener: socket.socket
) -> None:
    guard = guard_of(resolver, "allow 127.0.0.1:*", "allow [::1]:*")
    upstream = DirectUpstream(guard, outbound=(ip_address("127.0.0.5"),))
    with await upstream.connect(Destination.parse_host("127.0.0.1", port_of(listener))) as sock:
        assert sock.getsockname()[0] == "127.0.0.5"
        assert sock.getsockname()[1] >= 1024
    resolver.forward["both.example"] = [["::1", "127.0.0.1"]]
    with await upstream.connect(Destination("both.example", port_of(listener))) as sock:
        assert sock.getsockname()[0] == "127.0.0.5"


async def test_a_family_without_outbound_address_is_not_used(
    resolver: ScriptedResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    connecting_is(monkeypatch, None)
    upstream = DirectUpstream(guard_of(resolver, "allow [::1]:*"), outbound=(ip_address("127.0.0.5"),))
    assert await reply_of(upstream, Destination.parse_host("::1", 9)) is Reply.NETWORK_UNREACHABLE


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", None), ("::ffff:127.0.0.1", None), ("8.8.8.8", 25)])
async def test_a_refused_destination_is_never_connected_to(
    resolver: ScriptedResolver, listener: socket.socket, monkeypatch: pytest.MonkeyPatch, host: str, port: int | None
) -> None:
    connecting_is(monkeypatch, None)
    upstream = DirectUpstream(guard_of(resolver))
    destination = Destination.parse_host(host, port_of(listener) if port is None else port)
    assert await reply_of(upstream, destination) is Reply.NOT_ALLOWED


def connecting_is(monkeypatch: pytest.MonkeyPatch, connect: Callable[..., Awaitable[socket.socket]] | None) -> None:
    """Put something in place of what connects, to one address and to several."""

    async def one(info: AddrInfo, _seconds: float) -> socket.socket:
        assert connect is not None
        return await connect([info], happy_eyeballs_delay=0.25)

    monkeypatch.setattr(mayfly_relay.direct, "start_connection", connect)
    monkeypatch.setattr(mayfly_relay.direct, "connect_one", one)


class Recorder:
    """In place of start_connection: records where it was to go and connects to the listener instead."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.asked: list[str] = []

    async def __call__(self, infos: list[AddrInfo], **options: object) -> socket.socket:
        assert options["happy_eyeballs_delay"] == 0.25
        self.asked += [info[4][0] for info in infos]
        sock = socket.create_connection(self.server.getsockname())
        sock.setblocking(False)
        return sock


async def test_rebinding_reaches_only_what_was_checked(
    resolver: ScriptedResolver, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is public when it is checked, and 127.0.0.1 for whoever would ask again."""
    resolver.forward["rebind.example"] = [["8.8.8.8"], ["127.0.0.1"]]
    recorder = Recorder(listener)
    connecting_is(monkeypatch, recorder)
    upstream = DirectUpstream(guard_of(resolver))
    destination = Destination("rebind.example", port_of(listener))
    (await upstream.connect(destination)).close()
    assert recorder.asked == ["8.8.8.8"]
    assert resolver.calls == ["rebind.example"]
    assert await reply_of(upstream, destination) is Reply.NOT_ALLOWED
    assert recorder.asked == ["8.8.8.8"]


async def test_the_refused_among_the_addresses_are_left_out(
    resolver: ScriptedResolver, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver.forward["mixed.example"] = [["10.0.0.1", "8.8.8.8", "::1", "2606::1", "127.0.0.1"]]
    monkeypatch.setattr(mayfly_relay.direct, "_has_route", lambda _info: True)
    recorder = Recorder(listener)
    connecting_is(monkeypatch, recorder)
    (await DirectUpstream(guard_of(resolver)).connect(Destination("mixed.example", 443))).close()
    assert recorder.asked == ["8.8.8.8", "2606::1"]


async def test_the_second_address_answers_when_the_first_refuses(
    resolver: ScriptedResolver, listener: socket.socket
) -> None:
    resolver.forward["two.example"] = [["127.0.0.2", "127.0.0.1"]]
    before = open_sockets()
    upstream = DirectUpstream(guard_of(resolver, "allow 127.0.0.0/8:*"))
    with await upstream.connect(Destination("two.example", port_of(listener))) as sock:
        assert sock.getpeername()[0] == "127.0.0.1"
        assert open_sockets() == before + 1
    assert open_sockets() == before


async def test_refused(resolver: ScriptedResolver, listener: socket.socket) -> None:
    port = port_of(listener)
    listener.close()
    resolver.forward["two.example"] = [["127.0.0.1", "127.0.0.2", "::1"]]
    before = open_sockets()
    upstream = DirectUpstream(guard_of(resolver, "allow 127.0.0.0/8:*", "allow [::1]:*"))
    assert await reply_of(upstream, Destination.parse_host("127.0.0.1", port)) is Reply.CONNECTION_REFUSED
    assert await reply_of(upstream, Destination("two.example", port)) in {
        Reply.CONNECTION_REFUSED,  # all of them
        Reply.HOST_UNREACHABLE,  # refused in different words
    }
    assert open_sockets() == before


async def test_no_route_to_ipv6_does_not_hide_that_ipv4_refused(
    resolver: ScriptedResolver, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = port_of(listener)
    listener.close()
    resolver.forward["dual.example"] = [["2606::1", "127.0.0.1"]]
    monkeypatch.setattr(mayfly_relay.direct, "_has_route", lambda info: info[0] == socket.AF_INET)
    upstream = DirectUpstream(guard_of(resolver, "allow 127.0.0.1:*"))
    assert await reply_of(upstream, Destination("dual.example", port)) is Reply.CONNECTION_REFUSED


def test_one_address_needs_no_thread(listener: socket.socket) -> None:
    """uvloop's own sock_connect has a thread resolve even an address."""
    info = mayfly_relay.direct.addr_info(ip_address("127.0.0.1"), port_of(listener))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, runner.run(connect_one(info)) as sock:
        assert sock.getpeername() == listener.getsockname() and not sock.getblocking()
    listener.close()
    for factory in (uvloop.new_event_loop, asyncio.SelectorEventLoop):
        with asyncio.Runner(loop_factory=factory) as runner, pytest.raises(ConnectionRefusedError):
            runner.run(connect_one(info))


async def test_a_destination_that_does_not_answer_at_once_is_waited_for(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Far(socket.socket):
        """Its connection is on the way when it is asked for a second time."""

        def connect_ex(self, address: Any, /) -> int:
            asked.append(errno.EALREADY if asked and asked[-1] == errno.EINPROGRESS else super().connect_ex(address))
            return asked[-1]

    monkeypatch.setattr(socket, "socket", Far)
    info = mayfly_relay.direct.addr_info(ip_address("127.0.0.1"), port_of(listener))
    with await connect_one(info) as sock:
        assert sock.getpeername() == listener.getsockname()
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        await connect_one(info)
    assert asked == 2 * [errno.EINPROGRESS, errno.EALREADY]


def test_routes_of_this_machine() -> None:
    assert mayfly_relay.direct._has_route((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 9)))
    assert not mayfly_relay.direct._has_route((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("255.255.255.255", 9)))


async def test_no_route_at_all(resolver: ScriptedResolver, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(_infos: list[AddrInfo], **_options: object) -> socket.socket:
        raise OSError(errno.ENETUNREACH, "x")

    monkeypatch.setattr(mayfly_relay.direct, "_has_route", lambda _info: False)
    connecting_is(monkeypatch, unreachable)
    upstream = DirectUpstream(guard_of(resolver))
    assert await reply_of(upstream, Destination.parse_host("8.8.8.8", 443)) is Reply.NETWORK_UNREACHABLE


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a listener whose queue is full, so that connections to it are never answered."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
            fillers.append(filler)
        yield port_of(server)
        for filler in fillers:
            filler.close()


async def test_silence_is_ttl_expired_and_leaves_nothing_open(resolver: ScriptedResolver, silent: int) -> None:
    resolver.forward["two.example"] = [["127.0.0.1", "127.0.0.1"], ["127.0.0.1"]]
    before = open_sockets()
    upstream = DirectUpstream(guard_of(resolver, "allow 127.0.0.1:*"), timeout=0.1)
    for _ in range(2):
        assert await reply_of(upstream, Destination("two.example", silent)) is Reply.TTL_EXPIRED
    assert open_sockets() == before


async def test_cancelling_leaves_nothing_open(resolver: ScriptedResolver, silent: int) -> None:
    before = open_sockets()
    upstream = DirectUpstream(guard_of(resolver, "allow 127.0.0.1:*"))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(upstream.connect(Destination.parse_host("127.0.0.1", silent)))
        while open_sockets() == before:
            await asyncio.sleep(0)
        task.cancel()
    assert open_sockets() == before


async def test_a_socket_reset_at_once_is_closed(
    resolver: ScriptedResolver, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(socket.socket):
        def setsockopt(self, *_args: object) -> None:
            raise OSError(errno.EINVAL, "x")

    broken = Broken()

    async def start(_infos: list[AddrInfo], **_options: object) -> socket.socket:
        return broken

    connecting_is(monkeypatch, start)
    upstream = DirectUpstream(guard_of(resolver, "allow 127.0.0.1:*"))
    destination = Destination.parse_host("127.0.0.1", port_of(listener))
    assert await reply_of(upstream, destination) is Reply.GENERAL_FAILURE
    assert broken.fileno() == -1


async def test_resolve_goes_through_the_policy(resolver: ScriptedResolver) -> None:
    resolver.forward = {"inside.example": [["192.168.1.1"]], "outside.example": [["8.8.8.8"]]}
    resolver.reverse["8.8.8.8"] = "dns.example"
    upstream = DirectUpstream(guard_of(resolver))
    assert await upstream.resolve(Destination("outside.example", 0)) == Destination.parse_host("8.8.8.8", 0)
    assert await upstream.resolve(Destination.parse_host("8.8.8.8", 0)) == Destination("dns.example", 0)
    with pytest.raises(UpstreamError) as caught:
        await upstream.resolve(Destination("inside.example", 0))
    assert caught.value.reply is Reply.NOT_ALLOWED


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
async def test_the_last_descriptors_are_not_for_destinations(
    resolver: ScriptedResolver, listener: socket.socket, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    resolver.forward["one.example"] = [addresses]
    upstream = DirectUpstream(guard_of(resolver, "allow 127.0.0.0/8:*"))
    before = open_sockets()
    monkeypatch.setattr("mayfly.runtime.descriptors.limit", lambda: 4)
    assert await reply_of(upstream, Destination("one.example", port_of(listener))) is Reply.GENERAL_FAILURE
    assert open_sockets() == before
