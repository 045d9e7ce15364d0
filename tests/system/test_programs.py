"""Programs that people use, through the tunnel: ssh, a browser, dig."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from support.bodies import body
from support.browser import browser
from support.dns import ADDRESS, NAME, TEXT, dns_server
from support.http import PARTS, origin
from support.mayfly import tunnel
from support.programs import run
from support.socks import UdpForwarder
from support.ssh import proxy_command, ssh_server

MIB = 1 << 20


@pytest.mark.needs("ssh", "sshd", "ssh-keygen", "nc.openbsd")
async def test_ssh_runs_a_command_and_moves_bytes_both_ways(tmp_path: Path) -> None:
    sent = b"".join(body(8 * MIB))
    async with ssh_server(tmp_path) as server, tunnel() as pair:
        through = proxy_command(pair.proxy)
        said = await server.run("echo", "from the far end", extra=through)
        hashed = await server.run("sha256sum", extra=through, stdin=sent)
        echoed = await server.run("cat", extra=through, stdin=sent)
    assert said.text == "from the far end\n"
    assert hashed.text.split()[0] == hashlib.sha256(sent).hexdigest()
    assert echoed.stdout == sent


@pytest.mark.needs("chromium", "chromedriver")
async def test_a_browser_loads_a_page_of_a_hundred_parts(tmp_path: Path) -> None:
    async with origin() as web, tunnel() as pair, browser(tmp_path, pair.proxy) as chromium:
        await asyncio.to_thread(chromium.get, web.url("/page"))
        # `get` returns after the load event, which waits for all parts.
        assert chromium.title == f"{PARTS} of {PARTS}"


@pytest.mark.needs("dig", "dnsmasq")
@pytest.mark.parametrize(("record", "answer"), [("A", ADDRESS), ("TXT", f'"{TEXT}"')])
async def test_dig_through_udp_associate(record: str, answer: str) -> None:
    async with (
        dns_server() as server,
        tunnel() as pair,
        UdpForwarder.running((pair.host, pair.port), (server.host, server.port)) as port,
    ):
        found = await run("dig", "@127.0.0.1", "-p", str(port), "+short", "+notcp", "+tries=2", NAME, record)
    assert found.text.strip() == answer
