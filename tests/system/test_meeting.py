"""How the two sides meet: either offers, either takes either DTLS role, and one relay serves several clients."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from support import socks
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, Tunnel, connected_client, tunnel
from support.tcp import echo, serving

RELAY = ("relay", *LOOPBACK, *OPEN_LOOPBACK)


async def works(pair: Tunnel, server: tuple[str, int]) -> None:
    """A byte goes there and back."""
    async with await socks.connect((pair.host, pair.port), *server) as connection, asyncio.timeout(10):
        connection.writer.write(b"x")
        assert await connection.reader.readexactly(1) == b"x"


@pytest.mark.parametrize("client_offers", [False, True])
@pytest.mark.parametrize("role", ["auto", "client", "server"])
async def test_either_side_may_offer_and_take_either_role(client_offers: bool, role: str) -> None:
    client_args = ("--dtls-role", role)
    async with serving(echo) as server, tunnel(client_args=client_args, client_offers=client_offers) as pair:
        await works(pair, server)
        assert pair.relay_connected["words"] == pair.client_connected["words"]
        assert len(pair.client_connected["words"]) == 5
        assert pair.client_connected["path"] == {"local": "host", "remote": "host"}
        assert pair.client_connected["role"] == "relay"
        assert pair.relay_connected["role"] == "client"
        assert pair.client_connected["policy"]


async def test_the_answerer_shows_the_words_before_the_link_is_open() -> None:
    async with (
        MayflyProcess.running(*RELAY) as relay,
        MayflyProcess.running("client", "-", *LOOPBACK, "--socks", "127.0.0.1:0") as client,
    ):
        await client.send_code(await relay.code())
        answer = await client.code("answer")
        early = (await client.event("words"))["words"]
        await relay.send_code(answer)
        assert (await relay.event("connected"))["words"] == early == (await client.event("connected"))["words"]


async def test_several_clients_on_one_relay() -> None:
    async with (
        serving(echo) as server,
        MayflyProcess.running(*RELAY) as relay,
        contextlib.AsyncExitStack() as stack,
    ):
        pairs = [await stack.enter_async_context(connected_client(relay)) for _ in range(3)]
        for pair in pairs:
            await works(pair, server)
        assert len({pair.relay_connected["peer"] for pair in pairs}) == 3
        assert len({event["code"] for event in relay.named("code")}) >= 3
        pairs[0].client.kill()
        await relay.event("closed")
        for pair in pairs[1:]:
            await works(pair, server)


async def test_no_code_is_given_away_beyond_max_clients() -> None:
    async with (
        serving(echo) as server,
        MayflyProcess.running(*RELAY, "--max-clients", "1") as relay,
    ):
        async with connected_client(relay) as pair:
            await works(pair, server)
            pair.client.interrupt()
            await pair.client.wait()
            await relay.event("closed")
        async with connected_client(relay) as pair:
            await works(pair, server)
        names = [event["event"] for event in relay.events if event["event"] in ("code", "connected", "closed")]
    assert names[:4] == ["code", "connected", "closed", "code"]


async def test_a_client_that_answers_may_take_its_time() -> None:
    async with (
        MayflyProcess.running(*RELAY) as relay,
        MayflyProcess.running("client", "-", *LOOPBACK, "--socks", "127.0.0.1:0") as client,
    ):
        await client.send_code(await relay.code())
        answer = await client.code("answer")
        await asyncio.sleep(8)  # a person who copies; aioice alone gives up checking long before a minute
        await relay.send_code(answer)
        await client.event("connected")


async def test_only_one_address_is_disclosed_for_one_bind() -> None:
    async with MayflyProcess.running("relay", "--bind", "127.0.0.1", "--bind", "::1") as relay:
        both = await relay.event("code")
    async with MayflyProcess.running("relay", *LOOPBACK) as relay:
        one = await relay.event("code")
    assert [each.split()[0] for each in one["discloses"]] == ["127.0.0.1"]
    assert sorted(each.split()[0] for each in both["discloses"]) == ["127.0.0.1", "::1"]


async def test_a_port_that_is_taken_is_said_so() -> None:
    async with serving(echo) as (host, port), MayflyProcess.running(*RELAY) as relay:
        offer = await relay.code()
        async with MayflyProcess.running("client", offer, *LOOPBACK, "--socks", f"{host}:{port}") as client:
            error = await client.event("error")
            assert error["stage"] == "listen"
            assert await client.wait() == 6
