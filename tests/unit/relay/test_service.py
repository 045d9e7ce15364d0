"""One client's streams, served over two real sessions joined in memory. Nothing may be left when they end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

import pytest

from mayfly.config import StreamHeaderConfig
from mayfly.errors import Reply, StreamCode, StreamResetError, UpstreamError
from mayfly.runtime.stream import Stream
from mayfly.wire.address import NOWHERE, Destination
from mayfly.wire.header import Answer, Header, Service
from mayfly_relay.direct import DirectUpstream
from mayfly_relay.limits import RelayLimits, UdpLimits
from mayfly_relay.service import ClientService
from mayfly_relay.upstream import Upstream
from support.sessions import read_all
from unit.relay.scripted import ScriptedResolver, guard_of
from unit.relay.tunnel import Tunnel, echo_server, service_of, tunnel_to, udp_echo


async def test_tcp_there_and_back(resolver: ScriptedResolver) -> None:
    async with echo_server() as destination, tunnel_to(service_of(resolver, "allow 127.0.0.1:*")) as tunnel:
        stream = await tunnel.connect(destination)
        await stream.write(b"x" * 1_000_000)
        stream.finish()
        assert await read_all(stream) == b"x" * 1_000_000
        await tunnel.settled()


async def test_what_a_client_sends_before_the_answer_arrives(resolver: ScriptedResolver) -> None:
    async with echo_server() as destination, tunnel_to(service_of(resolver, "allow 127.0.0.1:*")) as tunnel:
        stream = await tunnel.client.open_stream(Header(Service.TCP, destination))
        await stream.write(b"early")
        stream.finish()
        assert (await stream.read_answer()).reply is Reply.SUCCEEDED
        assert await read_all(stream) == b"early"
        await tunnel.settled()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "::1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.0.1", "100.64.0.1", "fc00::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "inside.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("service", [Service.TCP, Service.RESOLVE])
async def test_refusals_are_not_allowed(resolver: ScriptedResolver, host: str, service: Service) -> None:
    resolver.forward["inside.example"] = [["192.168.0.1"]]
    async with tunnel_to(service_of(resolver)) as tunnel:
        stream, answer = await tunnel.ask(Header(service, Destination.parse_host(host, 443)))
        assert answer == Answer(Reply.NOT_ALLOWED)
        assert await stream.read() == b""
        stream.finish()
        await tunnel.settled()


async def test_a_refusal_ends_a_stream_that_the_client_keeps_open(resolver: ScriptedResolver) -> None:
    async with tunnel_to(service_of(resolver)) as tunnel:
        stream, answer = await tunnel.ask(Header(Service.TCP, Destination.parse_host("8.8.8.8", 25)))
        assert answer.reply is Reply.NOT_ALLOWED
        async with asyncio.timeout(10):
            with pytest.raises(StreamResetError):
                while True:
                    await stream.write(b"still here")
                    await asyncio.sleep(0)
        assert await stream.read() == b""
        await tunnel.settled()


async def test_a_closed_port_is_refused(resolver: ScriptedResolver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        destination = Destination.parse_host("127.0.0.1", closed.getsockname()[1])
    async with tunnel_to(service_of(resolver, "allow 127.0.0.1:*")) as tunnel:
        _, answer = await tunnel.ask(Header(Service.TCP, destination))
        assert answer.reply is Reply.CONNECTION_REFUSED
        await tunnel.settled()


async def test_resolve_both_ways(resolver: ScriptedResolver) -> None:
    resolver.forward["dns.example"] = [["8.8.8.8"]]
    resolver.reverse["8.8.8.8"] = "dns.example"
    async with tunnel_to(service_of(resolver)) as tunnel:
        name, address = Destination("dns.example", 0), Destination.parse_host("8.8.8.8", 0)
        assert (await tunnel.ask(Header(Service.RESOLVE, name)))[1] == Answer(Reply.SUCCEEDED, address)
        assert (await tunnel.ask(Header(Service.RESOLVE, address)))[1] == Answer(Reply.SUCCEEDED, name)
        _, answer = await tunnel.ask(Header(Service.RESOLVE, Destination("nowhere.example", 0)))
        assert answer.reply is Reply.HOST_UNREACHABLE
        await tunnel.settled()


@pytest.mark.parametrize("service", [Service.CHAT, Service.FILE])
async def test_other_services_are_not_supported(resolver: ScriptedResolver, service: Service) -> None:
    async with tunnel_to(service_of(resolver)) as tunnel:
        assert (await tunnel.ask(Header(service)))[1].reply is Reply.COMMAND_NOT_SUPPORTED
        await tunnel.settled()


class SlowUpstream:
    """Connects when released. Says when it began and how it ended."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.release = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def connect(self, destination: Destination) -> socket.socket:
        self.began.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        raise UpstreamError(Reply.GENERAL_FAILURE, "it was only a test")

    async def resolve(self, destination: Destination) -> Destination:
        await self.connect(destination)
        return NOWHERE


@pytest.mark.parametrize("service", [Service.TCP, Service.RESOLVE])
async def test_a_client_that_resets_cancels_the_connect(service: Service) -> None:
    upstream = SlowUpstream()
    async with tunnel_to(ClientService(upstream, None, RelayLimits())) as tunnel:
        stream = await tunnel.client.open_stream(Header(service, Destination("slow.example", 1)))
        await upstream.began.wait()
        stream.reset()
        await asyncio.wait_for(upstream.cancelled.wait(), 10)
        await tunnel.settled()


class StubbornUpstream(SlowUpstream):
    """Comes back with a connection although it was cancelled."""

    def __init__(self, server: socket.socket) -> None:
        super().__init__()
        self.server = server

    async def connect(self, destination: Destination) -> socket.socket:
        with contextlib.suppress(asyncio.CancelledError):
            await super().connect(destination)
        self.sock = socket.create_connection(self.server.getsockname())
        return self.sock


async def test_a_connection_that_comes_too_late_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        upstream = StubbornUpstream(server)
        async with tunnel_to(ClientService(upstream, None, RelayLimits())) as tunnel:
            stream = await tunnel.client.open_stream(Header(Service.TCP, Destination("slow.example", 1)))
            await upstream.began.wait()
            stream.reset()
            await tunnel.settled()
            assert upstream.sock.fileno() == -1


async def test_half_a_close_while_connecting_cancels_nothing() -> None:
    upstream = SlowUpstream()
    async with tunnel_to(ClientService(upstream, None, RelayLimits())) as tunnel:
        stream = await tunnel.client.open_stream(Header(Service.TCP, Destination("slow.example", 1)))
        await upstream.began.wait()
        stream.finish()
        upstream.release.set()
        assert (await stream.read_answer()).reply is Reply.GENERAL_FAILURE
        await tunnel.settled()
        assert not upstream.cancelled.is_set()


async def test_a_lost_link_cancels_everything() -> None:
    upstream = SlowUpstream()
    async with tunnel_to(ClientService(upstream, None, RelayLimits())) as tunnel:
        await tunnel.client.open_stream(Header(Service.TCP, Destination("slow.example", 1)))
        await upstream.began.wait()
        tunnel.links[1].cut()
        await asyncio.wait_for(upstream.cancelled.wait(), 10)
        await tunnel.settled()


async def test_closing_the_service_cancels_and_takes_no_more() -> None:
    upstream = SlowUpstream()
    async with tunnel_to(ClientService(upstream, None, RelayLimits())) as tunnel:
        stream = await tunnel.client.open_stream(Header(Service.TCP, Destination("slow.example", 1)))
        await upstream.began.wait()
        await tunnel.service.aclose()
        assert upstream.cancelled.is_set()
        with pytest.raises(StreamResetError):
            await stream.read_answer()
        late = await tunnel.client.open_stream(Header(Service.TCP, Destination("slow.example", 1)))
        with pytest.raises(StreamResetError) as caught:
            await late.read_answer()
        assert caught.value.code == StreamCode.DRAINING
        await tunnel.settled()


async def test_a_connection_reset_by_the_client_reaches_the_destination(resolver: ScriptedResolver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        destination = Destination.parse_host("127.0.0.1", server.getsockname()[1])
        async with tunnel_to(service_of(resolver, "allow 127.0.0.1:*")) as tunnel:
            stream = await tunnel.connect(destination)
            accepted, _ = await asyncio.get_running_loop().sock_accept(server)
            with accepted:
                accepted.setblocking(False)
                stream.reset()
                with pytest.raises(ConnectionResetError):
                    await asyncio.wait_for(asyncio.get_running_loop().sock_recv(accepted, 10), 10)
            await tunnel.settled()


async def test_closing_ends_open_connections(resolver: ScriptedResolver) -> None:
    async with echo_server() as destination, tunnel_to(service_of(resolver, "allow 127.0.0.1:*")) as tunnel:
        streams = [await tunnel.connect(destination) for _ in range(10)]
        await tunnel.service.aclose()
        for stream in streams:
            with pytest.raises(StreamResetError):
                await stream.read()


async def test_a_silent_stream_is_reset(resolver: ScriptedResolver) -> None:
    guard = guard_of(resolver)
    service = ClientService(DirectUpstream(guard), guard, RelayLimits(), header=StreamHeaderConfig(timeout=0.01))
    async with tunnel_to(service) as tunnel:
        cut_short = await open_raw(tunnel, b"\x10\x01")
        with pytest.raises(StreamResetError) as caught:
            await cut_short.read()
        assert caught.value.code == StreamCode.TIMEOUT
        await tunnel.settled()


async def open_raw(tunnel: Tunnel, data: bytes) -> Stream:
    """A stream of the client that begins with these bytes."""

    class Raw(Header):
        def encode(self) -> bytes:
            return data

    return await tunnel.client.open_stream(Raw(Service.TCP))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x01\x3f", StreamCode.UNSUPPORTED),
        (b"\x00", StreamCode.BAD_HEADER),
        (b"\x7f\xff" + b"x" * 600, StreamCode.BAD_HEADER),
        (b"\x08\x01\x03\x03a b\x01\xbb", StreamCode.BAD_HEADER),
    ],
)
async def test_headers_that_make_no_sense(resolver: ScriptedResolver, data: bytes, code: StreamCode) -> None:
    async with tunnel_to(service_of(resolver)) as tunnel:
        stream = await open_raw(tunnel, data)
        with pytest.raises(StreamResetError) as caught:
            await asyncio.wait_for(stream.read(), 10)
        assert caught.value.code == code
        await tunnel.settled()


async def test_connects_above_the_rate_are_refused() -> None:
    upstream = SlowUpstream()
    upstream.release.set()
    limits = RelayLimits(connect_rate=0.01, connect_burst=2, connect_delay=0.001)
    async with tunnel_to(ClientService(upstream, None, limits)) as tunnel:
        header = Header(Service.TCP, Destination("a.example", 1))
        replies = [(await tunnel.ask(header))[1].reply for _ in range(4)]
        assert replies == [Reply.GENERAL_FAILURE] * 2 + [Reply.NOT_ALLOWED] * 2
        await tunnel.settled()


async def test_udp_there_and_back(resolver: ScriptedResolver) -> None:
    resolver.forward["echo.example"] = [["127.0.0.1"]]
    async with udp_echo() as destination, tunnel_to(service_of(resolver, "allow 127.0.0.1:*")) as tunnel:
        stream, answer = await tunnel.ask(Header(Service.UDP))
        assert answer == Answer(Reply.SUCCEEDED)
        for host in (destination.host, "echo.example"):
            tunnel.client.send_datagram(stream.id, Destination(host, destination.port).encode() + b"hello")
            back = await asyncio.wait_for(tunnel.datagrams.get(), 10)
            assert back == (stream.id, destination.encode() + b"HELLO")
        assert tunnel.service.datagram_bytes == 3 * (7 + 5) + (4 + len("echo.example") + 5)
        assert tunnel.service.datagram_at is not None
        stream.finish()
        assert await stream.read() == b""
        await tunnel.settled()
        tunnel.client.send_datagram(stream.id, destination.encode() + b"late")


async def test_an_idle_association_ends(resolver: ScriptedResolver) -> None:
    limits = RelayLimits(udp=UdpLimits(idle_timeout=0.02))
    async with tunnel_to(service_of(resolver, limits=limits)) as tunnel:
        stream, _ = await tunnel.ask(Header(Service.UDP))
        await stream.write(b"means nothing")
        async with asyncio.timeout(10):
            with pytest.raises(StreamResetError) as caught:
                await stream.read()
        assert caught.value.code == StreamCode.TIMEOUT
        await tunnel.settled()


async def test_associations_are_limited(resolver: ScriptedResolver) -> None:
    limits = RelayLimits(udp=UdpLimits(max_associations=2))
    async with tunnel_to(service_of(resolver, limits=limits)) as tunnel:
        asked = [await tunnel.ask(Header(Service.UDP)) for _ in range(3)]
        assert [answer.reply for _, answer in asked] == [Reply.SUCCEEDED, Reply.SUCCEEDED, Reply.NOT_ALLOWED]
        asked[0][0].reset()
        async with asyncio.timeout(10):
            while (await tunnel.ask(Header(Service.UDP)))[1].reply is not Reply.SUCCEEDED:
                await asyncio.sleep(0.001)


async def test_no_udp_where_the_upstream_carries_none() -> None:
    async with tunnel_to(ClientService(SlowUpstream(), None, RelayLimits())) as tunnel:
        assert (await tunnel.ask(Header(Service.UDP)))[1].reply is Reply.COMMAND_NOT_SUPPORTED
        await tunnel.settled()


class BrokenUpstream:
    """Has a bug."""

    async def connect(self, destination: Destination) -> socket.socket:
        raise KeyError("bug")

    async def resolve(self, destination: Destination) -> Destination:
        raise KeyError("bug")


async def test_a_bug_resets_its_stream_and_is_reported() -> None:
    reported: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: reported.append(context))
    upstream: Upstream = BrokenUpstream()
    async with tunnel_to(ClientService(upstream, None, RelayLimits())) as tunnel:
        stream = await tunnel.client.open_stream(Header(Service.TCP, Destination("a.example", 1)))
        with pytest.raises(StreamResetError) as caught:
            await asyncio.wait_for(stream.read_answer(), 10)
        assert caught.value.code == StreamCode.INTERNAL
        await tunnel.settled()
    assert [type(context["exception"]) for context in reported] == [KeyError]
    loop.set_exception_handler(None)


@pytest.mark.parametrize("unsafe", [False, True])
async def test_logs_hold_destinations_only_when_asked_to(
    resolver: ScriptedResolver, caplog: pytest.LogCaptureFixture, unsafe: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    resolver.forward["secret.example"] = [["10.9.8.7"]]
    guard = guard_of(resolver)
    service = ClientService(DirectUpstream(guard), guard, RelayLimits(), unsafe_logging=unsafe)
    async with tunnel_to(service) as tunnel:
        await tunnel.ask(Header(Service.TCP, Destination("secret.example", 4433)))
        await tunnel.ask(Header(Service.RESOLVE, Destination.parse_host("10.9.8.7", 0)))
        await tunnel.settled()
    assert "NOT_ALLOWED" in caplog.text
    for secret in ("secret.example", "10.9.8.7", "4433"):
        assert (secret in caplog.text) is unsafe
