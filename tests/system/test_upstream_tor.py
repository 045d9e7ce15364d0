"""The upstream `tor`, with real tors in a private network: client, link, relay, tor, exit, web server."""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from support import socks
from support.bodies import body_sha256, file_sha256
from support.homes import Home
from support.http import origin
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, Tunnel, connected_client
from support.pages import argv_of
from support.programs import free_port, poll, program, run
from support.tcp import echo, serving
from support.tor_network import NAMES, PROGRAMS, Node, TorNetwork, ask

pytestmark = [pytest.mark.needs("curl", *PROGRAMS), pytest.mark.timeout(240)]

SIZE = 100_000_000
NOT_ALLOWED, NETWORK_UNREACHABLE, COMMAND_NOT_SUPPORTED = 2, 3, 7


@dataclass(frozen=True, slots=True)
class TorRelay:
    """A relay with a tor of its own, and that tor's control socket."""

    process: MayflyProcess
    home: Home
    control: Path

    @property
    def tor(self) -> psutil.Process:
        """Its tor."""
        (found,) = [child for child in self.process.process.children() if child.name() == "tor"]
        return found

    def circuit_to(self, port: int) -> str:
        """Which circuit carries the one open stream to that port, by tor's own account."""
        cookie = self.home.state / "mayfly/tor/1/control_auth_cookie"
        found = [re.search(rf"\d+ SUCCEEDED (\d+) \S+:{port}\b", line) for line in self.ask("stream-status", cookie)]
        (match,) = filter(None, found)
        return match[1]

    def ask(self, what: str, cookie: Path) -> list[str]:
        """GETINFO."""
        return ask(self.control, cookie, f"GETINFO {what}")


@contextlib.asynccontextmanager
async def tor_relay(network: TorNetwork, folder: Path, *options: str, ready: bool = True) -> AsyncIterator[TorRelay]:
    """A relay through a tor that it has started."""
    folder.mkdir(mode=0o700, exist_ok=True)
    home = Home.made(folder / "home")
    lines = (*network.client_lines, f"ControlPort unix:{folder / 'c'}")
    argv = [part for line in lines for part in ("--torrc-line", line)]
    async with MayflyProcess.running(
        *argv_of("README.md", "mayfly relay --upstream tor"), *LOOPBACK, *OPEN_LOOPBACK, *argv, *options, env=home.env
    ) as process:
        if ready:
            await state(process, "ready")
        yield TorRelay(process, home, folder / "c")


async def state(relay: MayflyProcess, wanted: str, timeout: float = 60.0) -> None:
    """Wait for tor to be in that state."""
    while (await relay.event("tor", timeout))["state"] != wanted:
        pass


async def fetch(pair: Tunnel, url: str, to: Path | None = None) -> str:
    """Fetch with curl, names unresolved."""
    options = ["-o", str(to)] if to is not None else []
    argv = [program("curl"), "-sS", "--max-time", "120", "--proxy", f"socks5h://{pair.proxy}", *options, url]
    return (await run(*argv, timeout=130)).text


async def opened(pair: Tunnel, server: tuple[str, int]) -> socks.Connection:
    """A connection through the tunnel that has carried bytes."""
    connection = await socks.connect((pair.host, pair.port), *server)
    connection.writer.write(b"x")
    assert await connection.reader.readexactly(1) == b"x"
    return connection


@pytest.fixture
async def onion_site(tor_network: TorNetwork, tmp_path: Path) -> AsyncIterator[tuple[str, Node]]:
    """The address of an onion service with a web server behind it."""
    async with origin() as server:
        place = tmp_path / "onion"
        lines = (f"HiddenServiceDir {place}", f"HiddenServicePort 80 {server.host}:{server.port}")
        async with tor_network.client(*lines) as node:
            yield (place / "hostname").read_text().strip(), node


@pytest.mark.slow
async def test_a_page_a_name_and_a_big_file(tor_network: TorNetwork, tmp_path: Path) -> None:
    async with (
        origin() as server,
        tor_relay(tor_network, tmp_path / "r") as relay,
        connected_client(relay.process) as pair,
    ):
        assert pair.client_connected["upstream"] == "tor"
        assert await fetch(pair, server.url("/small")) == "small\n"
        assert await fetch(pair, f"http://web.mayfly.example:{server.port}/small") == "small\n"
        assert "web.mayfly.example" in tor_network.names.asked
        await fetch(pair, server.url(f"/bytes/{SIZE}"), tmp_path / "file")
        assert file_sha256(tmp_path / "file") == body_sha256(SIZE)
        proxy = (pair.host, pair.port)
        assert await socks.resolve(proxy, "mayfly.example") == NAMES["mayfly.example"]
        assert await socks.resolve(proxy, NAMES["mayfly.example"]) == "mayfly.example"
        assert await socks.refusal(proxy, "192.168.1.1", 80) == NOT_ALLOWED
        assert await socks.refusal(proxy, "printer.local", 80) == NOT_ALLOWED
        with pytest.raises(socks.RefusedError) as caught:
            async with socks.UdpForwarder.running(proxy, ("127.0.0.1", 9)):
                pass
        assert caught.value.reply == COMMAND_NOT_SUPPORTED


async def test_each_client_has_its_circuit_and_newnym_changes_it(tor_network: TorNetwork, tmp_path: Path) -> None:
    async with (
        serving(echo) as first,
        serving(echo) as second,
        serving(echo) as third,
        serving(echo) as fourth,
        tor_relay(tor_network, tmp_path / "r") as relay,
        connected_client(relay.process) as anna,
        connected_client(relay.process) as ben,
        await opened(anna, first),
        await opened(anna, second),
        await opened(ben, third),
    ):
        of_anna, again, of_ben = (relay.circuit_to(server[1]) for server in (first, second, third))
        assert of_anna == again
        assert of_anna != of_ben
        async with MayflyProcess.running("status", env=relay.home.env) as asked:
            upstream = (await asked.event("status"))["upstream"]
        assert (upstream["kind"], upstream["state"], upstream["percent"]) == ("tor", "ready", 100)
        of_client = {circuit["id"]: circuit["client"] for circuit in upstream["circuits"]}
        assert (of_client[of_anna], of_client[of_ben]) == (1, 2)
        async with MayflyProcess.running("relay", "newnym", env=relay.home.env) as asked:
            assert (await asked.event("newnym"))["seconds"] >= 0
            await asked.ends(0)
        async with await opened(anna, fourth):
            assert relay.circuit_to(fourth[1]) not in (of_anna, of_ben)


async def test_each_stream_may_have_a_circuit_of_its_own(tor_network: TorNetwork, tmp_path: Path) -> None:
    async with (
        serving(echo) as first,
        serving(echo) as second,
        tor_relay(tor_network, tmp_path / "r", "--tor-isolate", "stream") as relay,
        connected_client(relay.process) as pair,
        await opened(pair, first),
        await opened(pair, second),
    ):
        assert relay.circuit_to(first[1]) != relay.circuit_to(second[1])


async def test_an_onion_service_is_reached(
    tor_network: TorNetwork, onion_site: tuple[str, Node], tmp_path: Path
) -> None:
    address, _ = onion_site
    async with tor_relay(tor_network, tmp_path / "r") as relay, connected_client(relay.process) as pair:
        url = f"http://{address}/small"
        argv = [program("curl"), "-sS", "--retry", "20", "--retry-all-errors", "--retry-delay", "1"]
        done = await run(*argv, "--proxy", f"socks5h://{pair.proxy}", url, timeout=120)
        assert done.text == "small\n"


async def test_a_tor_that_dies_is_told_and_comes_back(tor_network: TorNetwork, tmp_path: Path) -> None:
    async with (
        serving(echo) as server,
        origin() as site,
        tor_relay(tor_network, tmp_path / "r") as relay,
        connected_client(relay.process) as pair,
    ):
        open_stream = await opened(pair, server)
        relay.tor.kill()
        with contextlib.suppress(ConnectionError):
            assert await open_stream.reader.read() == b""
        open_stream.close()
        await state(relay.process, "down")
        assert await socks.refusal((pair.host, pair.port), *server) == NETWORK_UNREACHABLE
        await state(relay.process, "ready")
        assert await fetch(pair, site.url("/small")) == "small\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
async def test_no_tor_is_left_however_the_relay_ends(
    tor_network: TorNetwork, tmp_path: Path, how: signal.Signals
) -> None:
    async with tor_relay(tor_network, tmp_path / "r", ready=False) as relay:
        await state(relay.process, "bootstrapping")
        tor = relay.tor
        relay.process.program.send_signal(how)
        await relay.process.wait()
        await poll(lambda: not tor.is_running() or tor.status() == psutil.STATUS_ZOMBIE, "the end of tor", 10)


async def test_a_tor_that_runs_already_is_used_and_left(tor_network: TorNetwork) -> None:
    async with (
        tor_network.client() as node,
        origin() as site,
        MayflyProcess.running(
            *("relay", *LOOPBACK, *OPEN_LOOPBACK, "--upstream", "tor", "--tor-control", str(node.control))
        ) as relay,
        connected_client(relay) as pair,
    ):
        assert await fetch(pair, site.url("/small")) == "small\n"
        relay.interrupt()
        await relay.ends(0)
        assert not node.log.ended


async def test_what_is_wrong_with_tor_is_said() -> None:
    for options, words in (
        (("--torrc-line", "NoSuchOption 1"), "NoSuchOption"),
        (("--tor-control", f"127.0.0.1:{free_port()}"), "control port"),
    ):
        async with MayflyProcess.running("relay", *LOOPBACK, "--upstream", "tor", *options) as relay:
            error = await relay.event("error")
            assert error["stage"] == "tor"
            assert words in error["message"]
            await relay.ends(4)
