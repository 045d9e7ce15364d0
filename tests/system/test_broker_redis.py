"""Several `mayfly broker` processes on one real Redis, some of which are killed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import signal
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support.broker import CROWD, Api, api, broker_process, serve_clients
from support.mayfly import MayflyProcess
from support.redis import RedisServer, redis_server

pytestmark = pytest.mark.needs("redis-server")

Broker = tuple[MayflyProcess, Api]


@contextlib.asynccontextmanager
async def brokers(server: RedisServer, count: int) -> AsyncGenerator[list[Broker], None]:
    async with contextlib.AsyncExitStack() as stack:
        made: list[Broker] = []
        for _ in range(count):
            process, base = await stack.enter_async_context(broker_process("--store", server.url, *CROWD))
            made.append((process, await stack.enter_async_context(api(base))))
        yield made


async def test_a_relay_and_a_client_of_different_brokers_meet(tmp_path: Path) -> None:
    async with (
        redis_server(tmp_path) as server,
        brokers(server, 2) as [(_, one), (_, two)],
        asyncio.TaskGroup() as group,
    ):
        pool, friend = await one.post_pool(), await two.post_friend()
        for posting, nameplate, here, there in ((pool, None, one, two), (friend, friend["nameplate"], two, one)):
            relay = group.create_task(serve_clients(here, posting, 1))
            match = (await there.match(nameplate)).ok()
            answer = (await there.send(match["match"], match["token"], 1, "offer", wait=20)).ok()
            assert [mail["body"] for mail in answer["messages"]] == ["to-offer"]
            assert await relay == [match["match"]]


async def test_a_killed_broker_loses_no_posting_and_gives_no_seat_twice(tmp_path: Path) -> None:
    """Relays post and clients come through two brokers; one dies in the middle, and all go on through the other."""
    async with redis_server(tmp_path) as server, brokers(server, 2) as made:
        dying, staying = made
        acknowledged: list[Any] = []
        given: list[str] = []
        enough = asyncio.Event()

        async def through(caller: Api, number: int) -> None:
            for turn in itertools.count():
                if turn % 2:
                    answer = await caller.match()
                    if answer.status == 201:
                        given.append(answer.body["posting"])
                    else:
                        answer.refused("no-relay")
                else:
                    acknowledged.append(await caller.post_pool(capacity=2))
                if len(acknowledged) >= 60:
                    enough.set()
                if number % 2 == 1 and enough.is_set() and turn > 5:
                    return

        async with asyncio.TaskGroup() as group:
            doomed = [group.create_task(_until_cut(through(dying[1], 0))) for _ in range(8)]
            for _ in range(8):
                group.create_task(through(staying[1], 1))
            await enough.wait()
            dying[0].program.send_signal(signal.SIGKILL)
            assert all([await task for task in doomed])
        caller = staying[1]
        for posting in acknowledged:
            (await caller.news(posting)).ok()
        while (answer := await caller.match()).status == 201:
            given.append(answer.body["posting"])
        seats = Counter(given)
        assert max(seats.values()) <= 2
        # A match whose answer died with the broker holds its seat until it ends by itself: at most one a request.
        missing = sum(2 - seats[posting["posting"]] for posting in acknowledged)
        assert 0 <= missing <= 8


async def _until_cut(work: Any) -> bool:
    try:
        await work
    except (aiohttp.ClientError, ConnectionError):
        return True
    return False


async def test_a_broker_that_leaves_leaves_its_relays_to_the_others(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as server, brokers(server, 2) as [(leaving, one), (_, two)]:
        posting = await one.post_pool()
        poll = asyncio.get_running_loop().create_task(one.news(posting, wait=25))
        (await one.call("GET", "/healthz")).ok()
        leaving.interrupt()
        assert (await poll).ok()["closing"] > 0
        assert await leaving.wait(timeout=8) == 0
        assert (await two.match()).ok()["posting"] == posting["posting"]
        assert [event["type"] for event in (await two.news(posting)).ok()["events"]] == ["opened"]


async def test_brokers_say_that_redis_is_gone_and_go_on_when_it_is_back(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, durable=True)
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(contextlib.AsyncExitStack())
        await running.enter_async_context(server.running())
        ((_, caller),) = await stack.enter_async_context(brokers(server, 1))
        posting = await caller.post_pool()
        await running.aclose()
        down = (await caller.match()).refused("store-down")
        assert down["retry_after"] > 0
        (await caller.call("GET", "/healthz")).refused("store-down")
        await running.enter_async_context(server.running())
        assert (await caller.news(posting)).status == 200
        poll = asyncio.get_running_loop().create_task(caller.news(posting, wait=25))
        assert (await caller.match()).ok()["posting"] == posting["posting"]
        assert [event["type"] for event in (await poll).ok()["events"]] == ["opened"]
