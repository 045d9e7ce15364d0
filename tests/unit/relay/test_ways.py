from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from mayfly.errors import ControlError, Reply, TorError
from mayfly.runtime.events import Event, TorChanged, Warned
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.stream import Stream
from mayfly.tor.settings import ControlAddress, TorSettings
from mayfly.wire.address import Destination
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Upstream
from mayfly_relay.extorport import ExtendedPort
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.options import RelayOptions
from mayfly_relay.resolver import SystemResolver
from mayfly_relay.upstream_urls import parse_upstreams
from mayfly_relay.ways import WayOut, open_way
from support.fake_tor import FakeTor
from support.programs import free_port
from support.proxies import made_up
from support.sessions import read_all
from support.tcp import echo, serving
from unit.relay.scripted import policy_of
from unit.relay.tunnel import echo_server, tunnel_to

OPTIONS = RelayOptions(policy=policy_of("allow 127.0.0.1:*"))


async def nobody(_stream: Stream, _header: Header) -> None:
    raise AssertionError


def options(*urls: str) -> RelayOptions:
    return replace(OPTIONS, upstream=parse_upstreams(urls))


def opened(chosen: RelayOptions) -> contextlib.AbstractAsyncContextManager[WayOut]:
    """A way out of a machine without networks of its own."""
    return open_way(chosen, OwnNetworks(frozenset), lambda _: None, Shutdown())


async def answer(chosen: RelayOptions, header: Header) -> tuple[Reply, list[Event]]:
    """What a client is told."""
    told: list[Event] = []
    async with (
        open_way(chosen, OwnNetworks(frozenset), told.append, Shutdown()) as way,
        tunnel_to(way.service(1, nobody)) as tunnel,
    ):
        _, found = await tunnel.ask(header)
        await tunnel.settled()
    return found.reply, told


async def test_direct_reaches_its_destination_and_no_other() -> None:
    async with (
        echo_server() as destination,
        opened(OPTIONS) as way,
        tunnel_to(way.service(1, nobody)) as tunnel,
    ):
        assert (way.kind, await way.describe()) == (Upstream.DIRECT, {"kind": "direct"})
        stream = await tunnel.connect(Destination("localhost", destination.port))
        await stream.write(b"hello")
        stream.finish()
        assert await read_all(stream) == b"hello"
        _, refused = await tunnel.ask(Header(Service.TCP, Destination.parse_host("::1", 80)))
        assert refused.reply is Reply.NOT_ALLOWED
        await tunnel.settled()


async def test_each_client_has_a_resolver_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[float] = []

    class Resolver(SystemResolver):
        def __init__(self, *, timeout: float) -> None:
            super().__init__(timeout=timeout)
            made.append(timeout)

    monkeypatch.setattr("mayfly_relay.ways.SystemResolver", Resolver)
    async with opened(OPTIONS) as way:
        way.service(1, nobody)
        way.service(2, nobody)
    assert made == [OPTIONS.limits.resolve_timeout] * 2


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1", "bridge://127.0.0.1:1"])
async def test_only_direct_carries_datagrams(url: str) -> None:
    reply, _ = await answer(options(url), Header(Service.UDP))
    assert reply is Reply.COMMAND_NOT_SUPPORTED


async def test_a_dead_proxy_is_told_to_the_volunteer() -> None:
    header = Header(Service.TCP, Destination("example.com", 443))
    reply, told = await answer(options(f"socks5://127.0.0.1:{free_port()}"), header)
    assert reply is Reply.NETWORK_UNREACHABLE
    (warning,) = told
    assert isinstance(warning, Warned)
    assert warning.message == "The upstream proxy cannot be reached."
    assert warning.hint.startswith("See whether it runs")


async def test_a_dead_bridge_is_told_to_the_volunteer(tmp_path: Path) -> None:
    chosen = options(f"bridge://127.0.0.1:{free_port()}")
    cookie = tmp_path / "extended_orport_auth_cookie"
    extended = replace(chosen, extended_port=ExtendedPort(ip_address("127.0.0.1"), free_port(), cookie))
    header = Header(Service.TCP, Destination("example.com", 443))
    for each in (chosen, extended):
        reply, told = await answer(each, header)
        assert reply is Reply.CONNECTION_REFUSED
        (warning,) = told
        assert isinstance(warning, Warned)
        assert warning.message == "The bridge cannot be reached."
        assert warning.hint.startswith("See whether it runs")


@pytest.mark.parametrize(
    ("scheme", "failed"),
    [
        ("socks5", "The upstream proxy cannot be reached."),
        ("http", "The upstream proxy cannot be reached."),
        ("bridge", "The bridge cannot be reached."),
    ],
)
async def test_nobody_is_invited_before_the_way_out_can_be_reached(
    scheme: str, failed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mayfly_relay.reach.PAUSES", (0.01,))
    asked: list[bytes] = []
    over = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read())
        over.set()

    port, told = free_port(), asyncio.Queue[Event]()
    async with (
        open_way(options(f"{scheme}://127.0.0.1:{port}"), OwnNetworks(frozenset), told.put_nowait, Shutdown()) as way,
        asyncio.TaskGroup() as group,
    ):
        ready = group.create_task(way.ready())
        warning = await told.get()
        assert isinstance(warning, Warned)
        assert (warning.stage, warning.message) == ("upstream", failed)
        assert "correct --upstream" in warning.hint
        assert not ready.done()
        async with serving(listen, port=port):
            await ready
            await over.wait()
    assert (asked, told.empty()) == ([b""], True)


async def warned_and_waiting(chosen: RelayOptions) -> Warned:
    """What is told while nobody can be invited, and is waited for."""
    told = asyncio.Queue[Event]()
    async with (
        open_way(chosen, OwnNetworks(frozenset), told.put_nowait, Shutdown()) as way,
        asyncio.TaskGroup() as group,
    ):
        ready = group.create_task(way.ready())
        warning = await told.get()
        await asyncio.sleep(0)
        assert isinstance(warning, Warned) and not ready.done()
        ready.cancel()
    return warning


async def test_nor_before_the_bridge_takes_us(tmp_path: Path) -> None:
    async with serving(echo) as (host, port):
        bridge = options(f"bridge://{host}:{port}")
        chosen = replace(bridge, extended_port=ExtendedPort(ip_address(host), port, tmp_path / "gone"))
        warning = await warned_and_waiting(chosen)
        assert warning.message.startswith("The cookie file cannot be read")
        assert "correct --ext-or-port and --ext-or-cookie" in warning.hint


async def test_of_a_chain_the_last_proxy_has_to_be_reached() -> None:
    granted = b"\x05\x00\x00\x01\0\0\0\0\0\0"
    told: list[Event] = []
    async with (
        made_up(b"\x05\x00", granted) as first,
        open_way(
            options(f"socks5://127.0.0.1:{first.port}", "socks5://second.example:1080"),
            OwnNetworks(frozenset),
            told.append,
            Shutdown(),
        ) as way,
    ):
        await way.ready()
    assert first.heard[1] == b"\x05\x01\x00\x03\x0esecond.example\x048"
    assert told == []


async def test_a_chain_that_does_not_reach_its_last_proxy_is_told_as_that() -> None:
    refused = b"\x05\x05\x00\x01\0\0\0\0\0\0"
    async with made_up(b"\x05\x00", refused) as first:
        warning = await warned_and_waiting(options(f"socks5://127.0.0.1:{first.port}", "socks5://second.example:1080"))
    assert warning.message == "The last of the upstream proxies cannot be reached through those before it."


async def test_a_bridge_takes_what_the_policy_never_would() -> None:
    async with (
        echo_server() as bridge,
        opened(options(f"bridge://127.0.0.1:{bridge.port}")) as way,
        tunnel_to(way.service(1, nobody)) as tunnel,
    ):
        stream = await tunnel.connect(Destination.parse_host("10.0.0.1", 25))
        await stream.write(b"hello")
        stream.finish()
        assert await read_all(stream) == b"hello"
        await tunnel.settled()


async def test_a_policy_summary_for_clients() -> None:
    async with opened(options("bridge://127.0.0.1:1")) as way:
        assert way.summary == "one bridge, whatever is asked for"


async def test_direct_is_ready_at_once_and_has_no_circuits() -> None:
    async with opened(OPTIONS) as way:
        await way.ready()
        with pytest.raises(ControlError, match="does not use tor"):
            await way.renew()


async def test_tor_is_told_waited_for_and_renewed() -> None:
    with FakeTor() as fake:
        chosen = replace(options("tor"), tor=TorSettings(control=ControlAddress(port=fake.port)))
        told: list[Event] = []
        async with open_way(chosen, OwnNetworks(frozenset), told.append, Shutdown()) as way:
            await way.ready()
            assert [event.state for event in told if isinstance(event, TorChanged)] == ["starting", "ready"]
            assert await way.renew() == 0.0
            assert "SIGNAL NEWNYM" in fake.seen
            assert (await way.describe())["state"] == "ready"


async def test_a_tor_that_cannot_be_had_ends_the_run() -> None:
    chosen = replace(options("tor"), tor=TorSettings(control=ControlAddress(port=free_port())))
    with pytest.raises(TorError):
        async with opened(chosen):
            pass


async def test_a_relay_that_is_to_leave_does_not_wait_for_tor() -> None:
    shutdown = Shutdown()
    shutdown.request_drain()
    with FakeTor(bootstrap=10) as fake:
        chosen = replace(options("tor"), tor=TorSettings(control=ControlAddress(port=fake.port)))
        async with asyncio.timeout(10), open_way(chosen, OwnNetworks(frozenset), lambda _: None, shutdown):
            pass
