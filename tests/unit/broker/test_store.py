"""The store in memory behaves as every store must, and wakes those who wait."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from mayfly_broker.config import BrokerConfig
from mayfly_broker.store import DAY, MemoryStore, Waiters
from support.broker_cases import CASES
from support.broker_scene import CONFIG, Case, Clock, Scene


@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
async def test_behaviour(case: Case) -> None:
    clock = Clock()
    await case(Scene(MemoryStore(CONFIG, clock), clock))


async def test_waiters_hear_of_their_own_news_alone() -> None:
    waiters = Waiters()
    with waiters.watch("a") as first, waiters.watch("a") as second, waiters.watch("b") as other:
        assert len(waiters) == 3
        waiters.wake("a")
        waiters.wake("nobody")
        assert (first.is_set(), second.is_set(), other.is_set()) == (True, True, False)
        waiters.wake_all()
        assert other.is_set()
    assert len(waiters) == 0


async def test_a_relay_that_waits_hears_of_its_client() -> None:
    scene = Scene(store := MemoryStore(CONFIG, clock := Clock()), clock)
    relay = await scene.pool()
    with store.waiters.watch(relay.posting) as relays, store.waiters.watch("other") as others:
        match = await scene.client()
        assert (relays.is_set(), others.is_set()) == (True, False)
        with store.waiters.watch(match.match) as clients:
            await store.close(match.match, relay.token, "failed")
            assert clients.is_set()


async def test_what_is_due_ends_by_itself_and_is_told() -> None:
    loop = asyncio.get_running_loop()
    store = MemoryStore(BrokerConfig(lease=0.05), loop.time)
    scene = Scene(store, Clock())
    async with asyncio.timeout(10):
        work = loop.create_task(store.run())
        relay = await scene.pool()
        with store.waiters.watch(relay.posting) as told:
            await told.wait()
        assert await store.counts() == (0, 0, 0)
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def test_the_key_changes_each_day() -> None:
    store = MemoryStore(CONFIG, clock := Clock())
    key = await store.daily_key()
    clock.pass_(DAY - 1)
    assert await store.daily_key() == key
    clock.pass_(1)
    assert await store.daily_key() != key
