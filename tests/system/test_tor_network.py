"""The private Tor network of the tests: it carries traffic, and nothing of it outlives whoever started it."""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path

import psutil
import pytest

from support import socks
from support.http import origin
from support.programs import Program, poll, program, run
from support.tor_network import AUTHORITIES, NAMES, PROGRAMS, TorNetwork

pytestmark = [pytest.mark.needs(*PROGRAMS), pytest.mark.timeout(240)]

OWNER = "from support.tor_network import tor_network\nwith tor_network(): pass"


def alive(process: psutil.Process) -> bool:
    """Whether it still runs: one that has ended and waits to be reaped does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.needs("curl")
async def test_a_client_reaches_the_exit_and_its_names(tor_network: TorNetwork) -> None:
    async with tor_network.client() as tor, origin() as server:
        proxy = f"socks5h://{tor.address}:{tor.socks_port}"
        url = f"http://web.mayfly.example:{server.port}/small"
        assert (await run(program("curl"), "-sS", "--proxy", proxy, url)).text == "small\n"
        found = await socks.resolve((tor.address, tor.socks_port), "mayfly.example")
        assert found == NAMES["mayfly.example"]


@pytest.mark.needs("curl")
async def test_a_client_reaches_it_through_a_bridge(tor_network: TorNetwork) -> None:
    async with (
        tor_network.bridge() as bridge,
        tor_network.client("UseBridges 1", bridge.bridge_line) as tor,
        origin() as server,
    ):
        proxy = f"socks5h://{tor.address}:{tor.socks_port}"
        assert (await run(program("curl"), "-sS", "--proxy", proxy, server.url("/small"))).text == "small\n"


async def test_nothing_of_a_network_outlives_its_owner(tmp_path: Path) -> None:
    """Killed without a chance to clean up."""
    async with Program.running(sys.executable, "-c", OWNER, env={"TMPDIR": str(tmp_path)}) as owner:
        started: list[psutil.Process] = []

        def complete() -> bool:
            started[:] = filter(alive, psutil.Process(owner.pid).children(recursive=True))
            return sum(process.name() == "tor" for process in started) >= AUTHORITIES + 1

        await poll(complete, "the members of its network", 60)
        owner.send_signal(signal.SIGKILL)
        await poll(lambda: not any(map(alive, started)), "the end of every process", 30)
