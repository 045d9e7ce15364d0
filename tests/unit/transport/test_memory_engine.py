"""The memory engine meets through descriptions, as a real one does."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mayfly.config import LinkConfig
from mayfly.errors import ConnectError, GatheringError
from mayfly.signaling.description import Description, Kind
from mayfly.transport.base import Engine, LinkSettings, PendingAnswer, PendingOffer
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from support.links import End

SETTINGS = LinkSettings()


async def test_two_engines_of_one_network_meet() -> None:
    network = MemoryNetwork()
    one: Engine = MemoryEngine(network)
    two: Engine = MemoryEngine(network)
    offer: PendingOffer = await one.offer(SETTINGS)
    answer: PendingAnswer = await two.answer(SETTINGS, offer.description)
    assert (offer.description.kind, answer.description.kind) == (Kind.OFFER, Kind.ANSWER)
    near = await offer.accept(answer.description)
    far = await answer.connected()
    seen = asyncio.get_running_loop().create_future()
    far.start(seen.set_result, lambda: None, lambda _: None)
    near.send(b"hello")
    assert await seen == b"hello"
    assert near.offerer and not far.offerer
    assert network.links == [(near, far)]


async def test_an_offer_is_spent_once_used() -> None:
    engine = MemoryEngine()
    offer = await engine.offer(SETTINGS)
    answer = await engine.answer(SETTINGS, offer.description)
    await offer.accept(answer.description)
    with pytest.raises(ConnectError, match="answered already"):
        await offer.accept(answer.description)


async def test_an_answer_to_another_offer_finds_no_path() -> None:
    engine = MemoryEngine()
    offer = await engine.offer(SETTINGS)
    other = await engine.answer(SETTINGS, (await engine.offer(SETTINGS)).description)
    with pytest.raises(ConnectError, match="no path"):
        await offer.accept(other.description)


async def test_a_changed_fingerprint_is_named() -> None:
    engine = MemoryEngine()
    offer = await engine.offer(SETTINGS)
    answer = await engine.answer(SETTINGS, offer.description)
    with pytest.raises(ConnectError, match="in the middle"):
        await offer.accept(replace(answer.description, fingerprint=bytes(32)))


async def test_an_answer_gives_up_in_time_and_on_close() -> None:
    engine = MemoryEngine()
    offer = await engine.offer(SETTINGS)
    brief = LinkSettings(config=LinkConfig(answer_lifetime=0.001))
    with pytest.raises(ConnectError):
        await (await engine.answer(brief, offer.description)).connected()
    closed = await engine.answer(SETTINGS, offer.description)
    await closed.close()
    with pytest.raises(ConnectError):
        await closed.connected()
    with pytest.raises(ConnectError):
        await offer.accept(closed.description)


@pytest.mark.parametrize("taken", [False, True])
async def test_an_answer_that_is_closed_after_it_connected_unseen_tells_the_offerer(taken: bool) -> None:
    engine = MemoryEngine()
    offer = await engine.offer(SETTINGS)
    answer = await engine.answer(SETTINGS, offer.description)
    end = End(await offer.accept(answer.description))
    if taken:
        (await answer.connected()).send(b"still here")
    await answer.close()
    await end.until(messages=int(taken), lost=int(not taken))
    assert len(end.lost) == int(not taken)


async def test_a_move_changes_the_description() -> None:
    engine = MemoryEngine()
    offer = await engine.offer(SETTINGS)
    first, heard = offer.description, list[Description]()
    offer.on_moved(heard.append)
    offer.move()
    assert heard == [offer.description] and offer.description != first


async def test_gathering_can_fail() -> None:
    with pytest.raises(GatheringError):
        await MemoryEngine(MemoryNetwork(gathers=False)).offer(SETTINGS)
