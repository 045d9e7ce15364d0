"""Relays behind real proxies, behind several, and behind bad ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from support import proxies, socks
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, Tunnel, tunnel
from support.programs import free_port, poll
from support.tcp import echo, serving

GENERAL_FAILURE, NOT_ALLOWED, NETWORK_UNREACHABLE, REFUSED, TTL_EXPIRED, COMMAND_NOT_SUPPORTED = 1, 2, 3, 5, 6, 7
LOGIN = ("anna", "s3cret")


def through(*urls: str) -> tuple[str, ...]:
    """A relay's options."""
    return (*OPEN_LOOPBACK, *(part for url in urls for part in ("--upstream", url)))


async def echoes(pair: Tunnel, server: tuple[str, int]) -> None:
    """Prove that a connection through the tunnel reaches an echo server."""
    async with await socks.connect((pair.host, pair.port), *server) as connection:
        connection.writer.write(b"are you there?")
        assert await connection.reader.readexactly(14) == b"are you there?"


async def refused(pair: Tunnel, port: int | None = None) -> int:
    """REP for a port where nobody listens."""
    return await socks.refusal((pair.host, pair.port), "127.0.0.1", free_port() if port is None else port)


@pytest.mark.needs("microsocks")
@pytest.mark.parametrize("login", [None, LOGIN], ids=["open", "with a password"])
async def test_a_socks5_server(login: tuple[str, str] | None) -> None:
    user = f"{login[0]}:{login[1]}@" if login else ""
    async with (
        proxies.microsocks(login) as port,
        serving(echo) as server,
        tunnel(through(f"socks5://{user}127.0.0.1:{port}")) as pair,
    ):
        await echoes(pair, server)
        assert await refused(pair) == REFUSED
        assert await socks.refusal((pair.host, pair.port), "10.0.0.1", 80) == NOT_ALLOWED
        assert pair.client_connected["upstream"] == "proxy"
        with pytest.raises(socks.RefusedError) as caught:
            await socks.resolve((pair.host, pair.port), "example.com")
        assert caught.value.reply == COMMAND_NOT_SUPPORTED
        warned = [event["message"] for event in pair.relay.named("warning")]
        assert len(warned) == (1 if login else 0)
        assert "s3cret" not in str(pair.relay.events)


@pytest.mark.needs("microsocks")
async def test_a_wrong_password_is_told_to_the_volunteer_once() -> None:
    async with proxies.microsocks(LOGIN) as port, tunnel(through(f"socks5://anna:wrong@127.0.0.1:{port}")) as pair:
        for _ in range(2):
            assert await refused(pair) == NETWORK_UNREACHABLE
        warned = [event for event in pair.relay.named("warning") if event["stage"] == "upstream"]
        assert [event["message"] for event in warned] == ["The upstream proxy does not let us in, or speaks no SOCKS."]


@pytest.mark.needs("danted")
@pytest.mark.parametrize(("scheme", "port_refused"), [("socks5", REFUSED), ("socks4", GENERAL_FAILURE)])
async def test_dante(scheme: str, port_refused: int, tmp_path: Path) -> None:
    async with (
        proxies.dante(tmp_path) as port,
        serving(echo) as server,
        tunnel(through(f"{scheme}://127.0.0.1:{port}")) as pair,
    ):
        await echoes(pair, server)
        assert await refused(pair) == port_refused


@pytest.mark.needs("tinyproxy")
@pytest.mark.parametrize("login", [None, LOGIN], ids=["open", "with a password"])
async def test_an_http_proxy(login: tuple[str, str] | None, tmp_path: Path) -> None:
    user = f"{login[0]}:{login[1]}@" if login else ""
    async with (
        proxies.tinyproxy(tmp_path, login) as port,
        serving(echo) as server,
        tunnel(through(f"http://{user}127.0.0.1:{port}")) as pair,
    ):
        await echoes(pair, server)
        assert await refused(pair) == GENERAL_FAILURE


@pytest.mark.needs("microsocks", "tinyproxy", "danted")
async def test_a_chain(tmp_path: Path) -> None:
    async with (
        proxies.microsocks() as first,
        proxies.tinyproxy(tmp_path) as second,
        proxies.dante(tmp_path) as third,
        serving(echo) as server,
        tunnel(
            through(f"socks5://127.0.0.1:{first}", f"http://127.0.0.1:{second}", f"socks4://127.0.0.1:{third}")
        ) as pair,
    ):
        await echoes(pair, server)


@pytest.mark.needs("microsocks")
async def test_a_chain_that_is_broken_says_nothing_about_the_destination() -> None:
    async with contextlib.AsyncExitStack() as second, proxies.microsocks() as first, serving(echo) as server:
        port = await second.enter_async_context(proxies.microsocks())
        async with tunnel(through(f"socks5://127.0.0.1:{first}", f"socks5://127.0.0.1:{port}")) as pair:
            await second.aclose()
            assert await refused(pair, server[1]) == NETWORK_UNREACHABLE


@pytest.mark.needs("microsocks")
async def test_a_proxy_that_dies() -> None:
    async with contextlib.AsyncExitStack() as proxy:
        port = await proxy.enter_async_context(proxies.microsocks())
        async with tunnel(through(f"socks5://127.0.0.1:{port}")) as pair:
            await proxy.aclose()
            assert await refused(pair) == NETWORK_UNREACHABLE
            warning = await pair.relay.event("warning")
            assert warning["message"] == "The upstream proxy cannot be reached."


async def test_a_proxy_that_is_not_there_yet() -> None:
    """Nobody is given a code for a relay that could serve nothing; it goes on by itself when the proxy has come."""
    port = free_port()
    async with MayflyProcess.running("relay", *LOOPBACK, *through(f"socks5://127.0.0.1:{port}")) as relay:
        warning = await relay.event("warning")
        assert (warning["stage"], warning["message"]) == ("upstream", "The upstream proxy cannot be reached.")
        assert relay.named("code") == []
        async with serving(echo, port=port):
            await relay.code()
        assert len(relay.named("warning")) == 1


async def test_names_are_passed_on_as_they_came() -> None:
    refusal = b"\x05\x04\x00\x01\0\0\0\0\0\0"
    async with (
        proxies.made_up(b"\x05\x00", refusal, then="close") as proxy,
        tunnel(through(f"socks5://127.0.0.1:{proxy.port}")) as pair,
    ):
        assert await socks.refusal((pair.host, pair.port), "no-such-name.mayfly.example", 443) == 4
        assert proxy.heard[1] == b"\x05\x01\x00\x03\x1bno-such-name.mayfly.example\x01\xbb"


async def test_a_bridge_gets_everything() -> None:
    async with serving(echo) as server, tunnel(("--upstream", f"bridge://{server[0]}:{server[1]}")) as pair:
        await echoes(pair, ("192.0.2.1", 1))
        await echoes(pair, ("anything.example", 443))
        assert pair.client_connected["upstream"] == "bridge"
        assert pair.client_connected["policy"] == "one bridge, whatever is asked for"


async def test_an_outbound_address_is_where_connections_come_from() -> None:
    peers: list[str] = []

    async def look(_reader: object, writer: object) -> None:
        peers.append(writer.get_extra_info("peername")[0])  # type: ignore[attr-defined]

    async with serving(look) as server, tunnel((*OPEN_LOOPBACK, "--outbound-address", "127.0.0.77")) as pair:
        connection = await socks.connect((pair.host, pair.port), *server)
        await poll(lambda: peers == ["127.0.0.77"], "the connection's address")
        connection.close()
        assert await socks.refusal((pair.host, pair.port), "2606:4700::1", 80) == NETWORK_UNREACHABLE
