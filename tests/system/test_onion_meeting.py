"""A relay's onion service as meeting place, with real tors on both sides."""

from __future__ import annotations

import pytest

from support.http import origin
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess
from support.pages import argv_of
from support.programs import poll, program, run
from support.tor_network import PROGRAMS, TorNetwork

pytestmark = [pytest.mark.needs(*PROGRAMS, "curl"), pytest.mark.timeout(240)]


def own_tor(network: TorNetwork) -> list[str]:
    """Options that make a tor of ours belong to the private network."""
    return [part for line in network.client_lines for part in ("--torrc-line", line)]


async def test_clients_meet_a_relay_at_its_onion_service(tor_network: TorNetwork) -> None:
    """One through a tor that runs already, one through a tor of its own, and one after the relay's tor was killed.

    No tor is left when all have gone.
    """
    relay_argv = (*argv_of("README.md", "mayfly relay --offer-onion"), *LOOPBACK, *OPEN_LOOPBACK, *own_tor(tor_network))
    async with (
        tor_network.client() as tor,
        origin() as web,
        MayflyProcess.running(*relay_argv) as relay,
    ):
        listening = await relay.event("listening", 90)
        assert listening["protocol"] == "onion"
        client_argv = ("client", "--onion", listening["address"], *LOOPBACK, "--socks", "127.0.0.1:0")
        socks = f"{tor.address}:{tor.socks_port}"
        children = relay.process.children(recursive=True)
        assert [child.name() for child in children] == ["tor"]
        async with (
            MayflyProcess.running(*client_argv, "--tor-socks", socks) as one,
            MayflyProcess.running(*client_argv, *own_tor(tor_network)) as two,
        ):
            words: list[list[str]] = []
            for client in (one, two):
                proxy = "socks5h://" + (await client.event("listening", 90))["address"]
                assert (await run(program("curl"), "-sS", "--proxy", proxy, web.url("/small"))).text == "small\n"
                words.append((await client.event("connected"))["words"])
            seen = [(await relay.event("connected"))["words"] for _ in range(2)]
            assert sorted(words) == sorted(seen)
            assert two.process.children() == []  # its tor was for the meeting only
            for client in (one, two):
                client.interrupt()
                await client.ends(0)
        children[0].kill()
        assert (await relay.event("warning"))["message"].endswith("It says: Tor has ended.")
        # The same address, by a service that another tor of the relay's has published anew.
        async with MayflyProcess.running(*client_argv, *own_tor(tor_network)) as late:
            await late.event("connected", 90)
            children += relay.process.children()
        relay.interrupt()
        await relay.ends(0)
        await poll(lambda: not any(child.is_running() for child in children), "the end of the relay's tor", 20)


async def test_a_service_that_is_gone(tor_network: TorNetwork) -> None:
    """A client says so again and again, and can be ended while it tries."""
    address = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"  # of the real network
    async with tor_network.client() as tor:
        argv = (
            "client",
            "--onion",
            address,
            "--tor-socks",
            f"{tor.address}:{tor.socks_port}",
            "--socks",
            "127.0.0.1:0",
        )
        async with MayflyProcess.running(*argv) as client:
            warning = await client.event("warning", 90)
            assert (warning["stage"], warning["message"]) == ("tor", "The onion service cannot be reached yet.")
            assert address not in str(warning)
            client.interrupt()
            await client.ends(130)


async def test_a_tor_that_is_not_there() -> None:
    address = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"
    argv = ("client", "--onion", address, "--tor-socks", "127.0.0.1:1", "--socks", "127.0.0.1:0")
    async with MayflyProcess.running(*argv) as client:
        error = await client.event("error")
        assert (error["stage"], error["message"]) == ("tor", "Nothing speaks SOCKS5 where tor's SOCKS port should be.")
        await client.ends(4)
