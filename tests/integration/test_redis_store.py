"""The store on a real Redis behaves as every store must, also from two processes' stores at once, and when Redis goes away."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import redis.asyncio

from mayfly.config import BrokerConfig
from mayfly_broker.redis_store import RedisStore, open_redis
from support.broker_cases import CASES, CONFIG, Case, Clock, Scene
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
    client = redis.asyncio.Redis.from_url(server.url)
    try:
        return await client.execute_command(*command)
    finally:
        await client.aclose()


@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
async def test_behaviour(server: RedisServer, case: Case) -> None:
    clock = Clock()
    async with opened(server, clock=clock) as store:
        await case(Scene(store, clock))
