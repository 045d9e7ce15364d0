"""A real tor that reaches its bridge through `mayfly pt` and volunteers' relays."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

import psutil
import pytest

from support.bodies import body_sha256, file_sha256
from support.broker import broker_process
from support.http import origin
from support.mayfly import LOOPBACK, MayflyProcess
from support.programs import free_port, poll, program, run
from support.tor_network import PROGRAMS, TorNetwork
from support.transport import TransportClient, bridge_line, transport_client, upstream

pytestmark = [pytest.mark.needs(*PROGRAMS, "curl"), pytest.mark.timeout(300)]

SIZE = 100_000_000


def gone(process: psutil.Process) -> bool:
    """Whether it has ended, reaped or not."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def proxy(client: TransportClient) -> str:
    """The client's SocksPort as curl takes it."""
    return f"socks5h://{client.node.address}:{client.node.socks_port}"


async def small(client: TransportClient, url: str) -> str:
    """A page through tor. tor may need a moment to see that there is a relay again."""
    argv = (program("curl"), "-sS", "--fail", "--retry", "20", "--retry-all-errors", "--retry-delay", "1", "--proxy")
    return (await run(*argv, proxy(client), url, timeout=90)).text


async def test_tor_through_relays_of_which_one_is_killed(tor_network: TorNetwork, tmp_path: Path) -> None:
    """100 % and 100 MB; a relay killed is said and another takes over; tor killed by SIGKILL leaves nothing."""
    target = tmp_path / "download"
    async with (
        tor_network.bridge() as bridge,
        origin() as web,
        MayflyProcess.running(*upstream(bridge)) as first,
        MayflyProcess.running(*upstream(bridge)) as second,
        transport_client(tor_network, bridge_line(bridge, "file=codes.txt")) as client,
    ):
        await client.log.wait_for_line("Waiting for a relay's code")
        await client.meet(first)
        await client.log.wait_for_line("Connected to a relay (direct")
        await client.log.wait_for_line("Bootstrapped 100%", 60)
        transport = client.transport()
        argv = (program("curl"), "-sS", "--fail", "--proxy", proxy(client), "-o", target, web.url(f"/bytes/{SIZE}"))
        await run(*argv, timeout=150)
        assert file_sha256(target) == body_sha256(SIZE)
        target.unlink()

        first.kill()
        await client.log.wait_for_line("The relay is gone (the other side has stopped answering)", 60)
        fetching = asyncio.get_running_loop().create_task(small(client, web.url("/small")))
        await client.meet(second)
        assert await fetching == "small\n"
        said = client.log.output
        assert "mf1" not in said.replace("codes.txt", "")  # no code in a log that people paste
        assert len(client.answers()) == 2

        client.log.send_signal(signal.SIGKILL)
        await poll(lambda: gone(transport), "the end of mayfly pt", 20)
        assert (await second.event("closed"))["reason"] == "the client has left"


async def test_relays_come_by_a_broker(tor_network: TorNetwork) -> None:
    """Of the pool only one that stands before a bridge is taken, and the next one when it is killed; or a friend's."""
    async with tor_network.bridge() as bridge, origin() as web, broker_process() as (_, url):
        pool, friend = upstream(bridge, "--broker", url, "--public"), upstream(bridge, "--broker", url)
        async with (
            MayflyProcess.running("relay", *LOOPBACK, "--broker", url, "--public") as direct,
            MayflyProcess.running(*pool) as first,
            MayflyProcess.running(*friend) as host,
        ):
            await direct.event("posted")
            await first.event("posted")
            code = (await host.event("code"))["code"]
            lines = (f"broker={url}", f"broker={url} meet={code}")
            async with (
                transport_client(tor_network, bridge_line(bridge, lines[0])) as stranger,
                transport_client(tor_network, bridge_line(bridge, lines[1])) as guest,
            ):
                for client, relay in ((stranger, first), (guest, host)):
                    await client.log.wait_for_line("Bootstrapped 100%", 60)
                    await relay.event("connected")
                    assert await small(client, web.url("/small")) == "small\n"
                assert code not in guest.log.output
                async with MayflyProcess.running(*pool) as second:
                    await second.event("posted")
                    first.kill()
                    await stranger.log.wait_for_line("The relay is gone (the other side has stopped answering)", 60)
                    assert await small(stranger, web.url("/small")) == "small\n"
                    await second.event("connected")
            assert not direct.named("connected")


async def test_a_bridge_is_told_the_transport(tor_network: TorNetwork, tmp_path: Path) -> None:
    """Through the extended ORPort; the code stands in the bridge line; tor ends by SIGTERM."""
    port = free_port(host=tor_network.address)
    log = tmp_path / "log"
    lines = (f"ExtORPort {tor_network.address}:{port}", f"Log [net,general]debug file {log}", "SafeLogging 0")
    async with tor_network.bridge(*lines) as bridge, origin() as web:
        cookie = bridge.folder / "extended_orport_auth_cookie"
        extended = ("--ext-or-port", f"{tor_network.address}:{port}", "--ext-or-cookie", str(cookie))
        async with MayflyProcess.running(*upstream(bridge, *extended, "--ext-or-address", "/16")) as relay:
            line = bridge_line(bridge, f"code={await relay.code('offer')}")
            async with transport_client(tor_network, line) as client:
                await poll(lambda: bool(client.answers()), "an answer of mayfly pt's", 60)
                await relay.send_code(client.answers()[-1])
                await client.log.wait_for_line("Bootstrapped 100%", 60)
                assert await small(client, web.url("/small")) == "small\n"
                transport = client.transport()
                client.log.send_signal(signal.SIGTERM)
                await client.log.wait()
                await poll(lambda: gone(transport), "the end of mayfly pt", 20)
        heard = log.read_text(errors="replace")
        told = re.findall(r"Received USERADDR.*? to '([^']+)'", heard)
        assert set(told) == {"127.0.0.0:1"}
        # The line with which it counts a client for its statistics.
        assert "Seen client from '127.0.0.0' with transport 'mayfly'." in heard
        assert not re.search(r"not a C identifier|Unexpected NUL in ExtORPort|don't recognize", heard)
