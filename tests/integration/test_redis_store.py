"""The store on a real Redis behaves as every store must, also two of them at once, and when Redis goes away."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import pytest
import redis.asyncio

from mayfly.errors import StoreError, UsageError
from mayfly.rendezvous.messages import Arrived, ErrorName, FriendMatch, FriendPosting, NewMessage, Opened
from mayfly.runtime.shutdown import Shutdown
from mayfly_broker.app import run_broker
from mayfly_broker.config import BrokerConfig
from mayfly_broker.options import BrokerOptions, Place
from mayfly_broker.redis_store import RedisStore, open_redis
from mayfly_broker.refusals import RefusedError
from support.broker import Collected
from support.broker_cases import CASES
from support.broker_scene import CONFIG, Case, Clock, Scene, refused
from support.programs import free_port
from support.redis import RedisServer, redis_server

pytestmark = pytest.mark.needs("redis-server")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RedisServer, None]:
    async with redis_server(tmp_path) as running:
        yield running


@contextlib.asynccontextmanager
async def opened(
    server: RedisServer, config: BrokerConfig = CONFIG, clock: Clock | None = None
) -> AsyncGenerator[RedisStore, None]:
    store = await open_redis(server.url, config, clock)
    try:
        yield store
    finally:
        await store.aclose()


async def raw(server: RedisServer, *command: str) -> object:
    client: Any = redis.asyncio.Redis.from_url(server.url)
    try:
        return cast("object", await client.execute_command(*command))
    finally:
        await client.aclose()


@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
async def test_behaviour(server: RedisServer, case: Case) -> None:
    clock = Clock()
    async with opened(server, clock=clock) as store:
        await case(Scene(store, clock))


async def test_stores_that_share_a_redis_never_exceed_a_capacity(server: RedisServer) -> None:
    async with opened(server) as first, opened(server) as second:
        relays = [await Scene(first, Clock()).pool(capacity=2, owner=f"r{number}") for number in range(4)]

        async def client(number: int) -> str | None:
            try:
                match = await Scene((first, second)[number % 2], Clock()).client(owner=f"c{number}")
            except RefusedError as error:
                assert error.name is ErrorName.NO_RELAY
                return None
            return match.posting

        given = Counter(await asyncio.gather(*(client(number) for number in range(40))))
        assert {relay.posting: given[relay.posting] for relay in relays} == {relay.posting: 2 for relay in relays}
        assert given[None] == 32


async def test_news_wakes_those_who_wait_at_another_broker(server: RedisServer) -> None:
    async with opened(server) as first, opened(server) as second, asyncio.TaskGroup() as group, asyncio.timeout(20):
        working = group.create_task(second.run())
        relay = await Scene(first, Clock()).pool()
        with second.waiters.watch(relay.posting) as told:
            await told.wait()  # it listens now, and all are told to look once
            told.clear()
            await Scene(first, Clock()).client()
            await told.wait()
        working.cancel()


async def test_the_same_call_again_is_the_same(server: RedisServer) -> None:
    async with opened(server) as store:
        request = FriendPosting(1, 60)
        made = [await store.post(request, "p" * 16, "t" * 22, "owner") for _ in range(2)]
        assert made[0][0] == made[1][0] == "1"
        match = [await store.match(FriendMatch(1, "1"), "m" * 16, "u" * 22, "client") for _ in range(2)]
        assert match[0].posting == match[1].posting == "p" * 16
        assert await store.counts() == (1, 0, 1)


async def test_a_redis_that_keeps_its_files_forgets_nothing_when_it_is_restarted(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, durable=True)
    async with server.running(), opened(server) as store:
        scene = Scene(store, Clock())
        relay, friend = await scene.pool(), await scene.friend()
        match = await scene.client()
        await store.send(match.match, match.token, NewMessage(1, "offer"))
        working = asyncio.get_running_loop().create_task(store.run())
    # the server is killed here, and the store's connections with it
    store = RedisStore(server.url, CONFIG)
    async with refused(ErrorName.STORE_DOWN):
        await store.counts()
    with pytest.raises(StoreError):
        await open_redis(server.url, CONFIG)
    async with server.running():
        relay.store = store
        assert [type(event) for event in await relay.events()] == [Opened, Arrived]
        assert await store.counts() == (2, 0, 1)
        assert (await Scene(store, Clock()).client(nameplate=friend.nameplate)).posting == friend.posting
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await store.aclose()


async def test_a_broker_recovers_with_its_redis(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, durable=False)
    async with asyncio.TaskGroup() as group, asyncio.timeout(30):
        async with server.running():
            store = await open_redis(server.url, CONFIG)
            working = group.create_task(store.run())
            lost = await Scene(store, Clock()).pool()
        async with refused(ErrorName.STORE_DOWN):
            await lost.events()
        async with server.running():
            async with refused(ErrorName.UNKNOWN_POSTING):  # this one kept no files: the relay posts again
                await lost.events()
            relay = await Scene(store, Clock()).pool()
            with store.waiters.watch(relay.posting) as told:
                while not told.is_set():  # subscribed again
                    await asyncio.sleep(0.02)
                told.clear()
                await Scene(store, Clock()).client()
                await told.wait()
            working.cancel()
            await store.aclose()


async def test_nothing_of_a_peer_stays_in_redis(server: RedisServer) -> None:
    clock = Clock()
    async with opened(server, clock=clock) as store:
        scene = Scene(store, clock)
        relay, friend = await scene.pool(3), await scene.friend()
        for match in [*await scene.clients(2), await scene.client(nameplate=friend.nameplate)]:
            await store.send(match.match, match.token, NewMessage(1, "x"))
            await store.send(match.match, relay.token if match.about else friend.token, NewMessage(1, "x"))
        await store.daily_key()
        for key in cast("list[bytes]", await raw(server, "KEYS", "mayfly:[poemcr]:*")):
            assert 0 < cast("int", await raw(server, "TTL", key.decode())) < 3 * 3600, key
        clock.pass_(CONFIG.lease)
        assert await store.counts() == (0, 0, 0)
        clock.pass_(CONFIG.linger)
        assert await store.counts() == (0, 0, 0)
        left = {key.decode() for key in cast("list[bytes]", await raw(server, "KEYS", "*"))}
        assert {key for key in left if "claim" not in key} == {"mayfly:daily-key", "mayfly:next", "mayfly:rest"}
        values = cast("list[bytes]", await raw(server, "KEYS", "mayfly:claim:*"))
        assert all([cast("int", await raw(server, "TTL", key.decode())) > 0 for key in values])


async def test_keys_that_redis_itself_dropped_leave_no_count_behind(server: RedisServer) -> None:
    clock = Clock()
    async with opened(server, clock=clock) as store:
        scene = Scene(store, clock)
        relay, friend = await scene.pool(), await scene.friend()
        match = await scene.client()
        for name in (
            f"p:{relay.posting}",
            f"o:{relay.posting}",
            f"e:{relay.posting}",
            f"m:{match.match}",
            f"p:{friend.posting}",
        ):
            await raw(server, "DEL", f"mayfly:{name}")
        async with refused(ErrorName.NO_RELAY):
            await scene.client()
        clock.pass_(CONFIG.match_lifetime)
        assert await store.counts() == (0, 0, 0)
        assert await raw(server, "HLEN", "mayfly:owned") == await raw(server, "HLEN", "mayfly:held") == 0


@pytest.mark.parametrize("url", ["redis://127.0.0.1:{port}/0", "redis://127.0.0.1:nonsense/0", "unix:///none/such"])
async def test_a_redis_that_is_not_there_is_told_in_words(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        await open_redis(url.format(port=free_port()), BrokerConfig())
    assert caught.value.hint


async def test_without_its_package_the_store_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "mayfly_broker.redis_store")
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    options = BrokerOptions(listen=Place(port=0), store="redis://127.0.0.1:6379/0")
    with pytest.raises(UsageError, match="The package redis") as caught:
        await run_broker(options, Collected(), Shutdown())
    assert "pip install" in caught.value.hint
