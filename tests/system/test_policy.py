"""What a relay refuses unless its owner says otherwise. The application is told REP 0x02, and nobody is contacted."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support import socks
from support.mayfly import LOOPBACK, MayflyProcess, Tunnel, connected_client, tunnel
from support.programs import Program, program
from support.tcp import echo, serving

SUCCEEDED, NOT_ALLOWED = 0x00, 0x02

REFUSED = [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "fc00::1",
    "fe80::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "localhost",
]


async def ask(pair: Tunnel, host: str, port: int) -> int:
    """The REP of a CONNECT."""
    return await socks.refusal((pair.host, pair.port), host, port)


async def test_default_refusals() -> None:
    async with serving(echo) as server, tunnel(relay_args=()) as pair:
        replies = {host: await ask(pair, host, server[1]) for host in REFUSED}
    assert replies == dict.fromkeys(REFUSED, NOT_ALLOWED)


async def test_the_first_rule_that_fits_decides() -> None:
    async with serving(echo) as open_one, serving(echo) as shut_one:
        rules = ("--deny", f"127.0.0.1:{shut_one[1]}", "--allow", "127.0.0.0/8:1024-65535")
        async with tunnel(rules) as pair:
            assert await ask(pair, *open_one) == SUCCEEDED
            assert await ask(pair, *shut_one) == NOT_ALLOWED
            assert await ask(pair, "127.0.0.1", 80) == NOT_ALLOWED
            assert await ask(pair, "::1", open_one[1]) == NOT_ALLOWED


async def test_datagrams_meet_the_same_policy() -> None:
    arrived: list[bytes] = []
    got = asyncio.Event()

    class Note(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            arrived.append(data)
            if data == b"allowed":
                got.set()

    loop = asyncio.get_running_loop()
    shut, _ = await loop.create_datagram_endpoint(Note, ("127.0.0.1", 0))
    open_, _ = await loop.create_datagram_endpoint(Note, ("127.0.0.1", 0))
    ports = {name: end.get_extra_info("sockname")[1] for name, end in (("shut", shut), ("open", open_))}
    with contextlib.ExitStack() as stack:
        stack.callback(shut.close)
        stack.callback(open_.close)
        async with (
            tunnel(("--allow", f"127.0.0.1:{ports['open']}")) as pair,
            await socks.socks5((pair.host, pair.port), socks.ASSOCIATE, "0.0.0.0", 0) as control,
        ):
            here, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=control.bound)
            stack.callback(here.close)
            here.sendto(b"\0\0\0" + socks.address("127.0.0.1", ports["shut"]) + b"refused")
            here.sendto(b"\0\0\0" + socks.address("127.0.0.1", ports["open"]) + b"allowed")
            async with asyncio.timeout(10):
                await got.wait()
            assert arrived == [b"allowed"]


@contextlib.asynccontextmanager
async def relay_with_hosts(hosts: Path) -> AsyncIterator[MayflyProcess]:
    """A relay that sees another /etc/hosts, in a mount namespace of its own."""
    inner = f'mount --bind "{hosts}" /etc/hosts && exec "{sys.executable}" -m mayfly_cli relay --json "$@"'
    relay = MayflyProcess()
    argv = (program("unshare"), "--mount", "sh", "-c", inner, "relay", *LOOPBACK)
    async with Program.running(*argv, on_line=relay.take_line) as child:
        relay.attach(child)
        yield relay


@pytest.mark.needs("unshare", "root")
async def test_a_public_name_with_a_private_address_is_refused_after_resolution(tmp_path: Path) -> None:
    names = {f"n{i}.public.example": host for i, host in enumerate(REFUSED) if host != "localhost"}
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"{host} {name}\n" for name, host in names.items()))
    async with serving(echo) as server, relay_with_hosts(hosts) as relay, connected_client(relay) as pair:
        replies = {name: await ask(pair, name, server[1]) for name in names}
    assert replies == dict.fromkeys(names, NOT_ALLOWED)
