"""A client with relays of a pool, whole programs in memory: several links, replacements, deaths, leaving."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest

from mayfly.errors import CodeGoneError
from mayfly.meetconfig import PoolConfig
from mayfly.runtime.broker.exchange import to_text
from mayfly.runtime.events import Closed, CodeReady, Connected, Draining, Joined, Leaving, Listening, Posted, Warned
from mayfly_relay.options import RelayOptions
from support.fake_broker import FakeBroker, broker_options
from support.meeting_place import patch
from support.programs_in_memory import Running, Stage, client_options, connected, relay_options
from support.tcp import echo, serving

POOL = PoolConfig(relays=2, backoff=0.001, max_backoff=0.01, quiet=30.0, give_up=30.0)
"""It takes no relay for silent because this machine is busy."""
HASTY = replace(POOL, quiet=0.05, ask_after=0.05, give_up=0.2, watch=0.05)


@dataclass
class Meeting:
    """A stage and its broker."""

    stage: Stage
    broker: FakeBroker

    async def relay(self) -> Running:
        running = self.stage.relay(relay_options(broker=broker_options(), public=True))
        await running.script.event(Posted)
        return running

    async def tunnels(self, pool: PoolConfig = POOL) -> tuple[list[Running], Running]:
        """Two relays, and a client that is connected to both."""
        relays, client = [await self.relay() for _ in range(2)], self.client(pool)
        await client.script.event(Connected, 2)
        return relays, client

    def client(self, pool: PoolConfig = POOL, code: str | None = None) -> Running:
        return self.stage.client(client_options(broker=broker_options(), pool=pool, code=code))


@asynccontextmanager
async def meeting(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Meeting]:
    broker = FakeBroker()
    async with Stage(monkeypatch) as stage:
        patch(monkeypatch, broker)
        yield Meeting(stage, broker)


async def ask(client: Running, server: tuple[str, int]) -> None:
    """One request through the client, answered."""
    reader, writer = await connected(client, server)
    writer.write(b"x")
    assert await reader.readexactly(1) == b"x"
    writer.close()


async def test_two_relays_are_kept_and_the_proxy_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place, serving(echo) as server:
        relays, client = await place.tunnels()
        for relay in relays:
            await relay.script.event(Connected)
        assert len(client.script.all(Listening)) == 1
        await ask(client, server)


async def test_one_relay_is_enough_and_nothing_is_said_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place, serving(echo) as server:
        await place.relay()
        client = place.client()
        await client.script.event(Connected)
        await ask(client, server)
        await place.broker.until(lambda: place.broker.calls.count("match") >= 4)
        assert not client.script.all(Warned)


async def test_a_relay_that_posts_anew_is_not_taken_for_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place, serving(echo) as server:
        relay = await place.relay()
        client = place.client()
        await client.script.event(Connected)
        place.broker.restart()
        await relay.script.event(Posted, 2)
        matches = place.broker.calls.count("match")
        await place.broker.until(lambda: place.broker.calls.count("match") >= matches + 3)
        assert len(client.script.all(Connected)) == 1
        await ask(client, server)


async def test_no_relay_is_said_once_and_one_that_comes_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place, serving(echo) as server:
        client = place.client()
        warned = await client.script.event(Warned)
        assert (warned.stage, warned.message) == ("broker", "No relay is free at the broker.")
        await place.broker.until(lambda: place.broker.calls.count("match") >= 5)
        await place.relay()
        await client.script.event(Listening)
        await ask(client, server)
        assert len(client.script.all(Warned)) == 1


async def test_a_relay_that_drains_is_replaced_before_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place, serving(echo) as server:
        first = await place.relay()
        client = place.client(pool=PoolConfig(relays=1, backoff=0.001, max_backoff=0.01))
        await client.script.event(Connected)
        reader, writer = await connected(client, server)
        await place.relay()
        first.shutdown.request_drain()
        await client.script.event(Leaving)
        await client.script.event(Connected, 2)
        assert not client.script.all(Closed)  # the first still has a stream, which goes on
        await ask(client, server)
        writer.write(b"y")
        assert await reader.readexactly(1) == b"y"
        writer.close()
        await client.script.event(Closed)
        await first.task


async def test_a_relay_that_dies_resets_its_streams_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place, serving(echo) as server:
        _, client = await place.tunnels()
        connections = [await connected(client, server) for _ in range(6)]
        place.stage.network.links[0][0].cut()
        alive = 0
        for reader, writer in connections:
            with suppress(ConnectionError, asyncio.IncompleteReadError, RuntimeError):  # uvloop's closed transport
                writer.write(b"x")
                alive += await reader.readexactly(1) == b"x"
            writer.close()
        assert 0 < alive < len(connections), "how they are shared out is for the speeds that were seen"
        await ask(client, server)


async def test_a_relay_that_falls_silent_costs_a_new_request_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place, serving(echo) as server:
        _, client = await place.tunnels(HASTY)
        held = [await connected(client, server) for _ in range(2)]
        place.stage.network.links[0][1].silence()  # the relay's end says nothing more
        async with asyncio.timeout(1.0):
            for _ in range(4):
                await ask(client, server)
        assert "stopped answering" in (await client.script.event(Closed)).reason
        for _, writer in held:
            writer.close()


async def test_a_drain_lets_open_streams_finish_on_all_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place, serving(echo) as server:
        relays, client = await place.tunnels()
        reader, writer = await connected(client, server)
        client.shutdown.request_drain()
        await client.script.event(Draining)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        writer.close()
        await client.task
        assert {event.peer for event in client.script.all(Closed)} == {1, 2}
        assert len(client.script.all(Closed)) == 2
        for relay in relays:
            await relay.script.event(Closed)


@pytest.mark.parametrize("stage", ["broker down", "no relay", "a relay that does not answer"])
async def test_leaving_at_each_stage(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    async with meeting(monkeypatch) as place:
        place.broker.down = stage == "broker down"
        if stage.startswith("a relay"):
            await place.relay()
            place.broker.tamper = lambda _who, _body: to_text(b"\x09")
        client = place.client()
        await place.broker.until(lambda: "match" in place.broker.calls)
        client.shutdown.request_drain()
        await client.task
        assert all(offer.spent for offer in place.stage.network.offers)


async def test_a_friend_s_code_leads_to_one_relay(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place, serving(echo) as server:
        relay = place.stage.relay(relay_options(broker=broker_options()))
        code = await relay.script.event(CodeReady)
        client = place.client(code=code.code)
        theirs = await client.script.event(Connected)
        await client.script.event(Listening)
        await ask(client, server)
        assert (await relay.script.event(Connected)).words == theirs.words
        assert (await relay.script.event(CodeReady, 2)).code != code.code  # the next friend's


async def test_a_code_that_is_gone_ends_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place:
        client = place.client(code="1-copper-tulip")
        with pytest.raises(CodeGoneError):
            await client.task


async def test_every_relay_has_its_place_in_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting(monkeypatch) as place:
        for _ in range(2):
            await place.relay()
        client = place.client()
        await client.script.event(Joined, 2)


def test_the_relay_s_options_are_for_codes_unless_told() -> None:
    assert RelayOptions().broker is None
