"""A relay that makes no codes any more finds out at which addresses it is seen."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

from mayfly.signaling.description import Description
from mayfly.transport.base import LinkSettings, TurnServer
from mayfly.transport.memory_engine import MemoryEngine, MemoryPendingOffer
from mayfly_relay import app, whereabouts
from mayfly_relay.addresses import Address
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.limits import RelayLimits
from mayfly_relay.upstream_urls import parse_upstreams
from support.programs_in_memory import Stage, relay_options
from support.tcp import echo, serving

ASKING = LinkSettings(stun=("stun.example:3478",), turn=(TurnServer("turn:turn.example", "user", "password"),))


class Noting(MemoryEngine):
    """Notes with what it was asked for offers. `descriptors` tells whether the process has any left."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[LinkSettings] = []
        self.descriptors = True

    async def offer(self, settings: LinkSettings) -> MemoryPendingOffer:
        self.asked.append(settings)
        if not self.descriptors:
            raise OSError(errno.EMFILE, "Too many open files")
        return await super().offer(settings)


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whereabouts, "INTERVAL", 0.0)


@asynccontextmanager
async def watching(
    engine: Noting, link: LinkSettings, *, needed: Callable[[], bool] = lambda: True
) -> AsyncIterator[list[Description]]:
    found: list[Description] = []
    watch = asyncio.get_running_loop().create_task(whereabouts.watch(engine, link, found.append, needed=needed))
    async with asyncio.timeout(10):
        yield found
    watch.cancel()
    await asyncio.wait({watch})
    assert watch.cancelled()


async def until(ready: Callable[[], bool]) -> None:
    while not ready():
        await asyncio.sleep(0)


async def test_what_an_offer_for_nobody_discloses_is_learnt_again_and_again() -> None:
    engine = Noting()
    async with watching(engine, ASKING) as found:
        await until(lambda: len(found) >= 3)
    assert [offer.description for offer in engine.network.offers][:3] == found[:3]
    assert all(offer.spent for offer in engine.network.offers[:-1])  # closed: no socket stays
    assert {(each.stun, each.turn) for each in engine.asked} == {(ASKING.stun, ())}


@pytest.mark.parametrize("away", ["network", "descriptors"])
async def test_what_is_away_for_a_while_does_no_harm(away: str) -> None:
    engine = Noting()
    engine.network.gathers = away != "network"
    engine.descriptors = away != "descriptors"
    async with watching(engine, ASKING) as found:
        await until(lambda: len(engine.asked) >= 3)
        assert found == []
        engine.network.gathers = engine.descriptors = True
        await until(lambda: bool(found))


@pytest.mark.parametrize(("link", "needed"), [(LinkSettings(), True), (ASKING, False)])
async def test_nobody_is_asked_without_need_or_leave(link: LinkSettings, needed: bool) -> None:
    engine = Noting()
    looks = 0

    def count() -> bool:
        nonlocal looks
        looks += 1
        return needed

    async with watching(engine, link, needed=count):
        await until(lambda: looks >= 3)
    assert engine.asked == []


async def test_a_relay_without_a_free_seat_learns_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt: list[list[Address]] = []

    class Own(OwnNetworks):
        def add(self, addresses: Iterable[Address]) -> None:
            learnt.append(list(addresses))

    monkeypatch.setattr(app, "OwnNetworks", Own)
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(limits=RelayLimits(max_clients=1), link=ASKING))
        await relay.script.code()
        assert len(learnt) == 1  # of its one code
        await stage.tunnel(relay)
        async with asyncio.timeout(10):
            await until(lambda: len(learnt) >= 3)


async def test_a_relay_before_a_bridge_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def note(*_: object, needed: Callable[[], bool]) -> None:
        asked.append(needed)
        await asyncio.Event().wait()

    asked: list[Callable[[], bool]] = []
    monkeypatch.setattr(whereabouts, "watch", note)
    async with serving(echo) as (host, port), Stage(monkeypatch) as stage:
        bridge = parse_upstreams([f"bridge://{host}:{port}"])
        for options in (relay_options(link=ASKING), relay_options(link=ASKING, upstream=bridge)):
            await stage.tunnel(stage.relay(options))
        assert [needed() for needed in asked] == [True, False]
