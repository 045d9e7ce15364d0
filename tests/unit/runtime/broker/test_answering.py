"""Answers to opened offers."""

from __future__ import annotations

import pytest

from mayfly.errors import ForgedError, GatheringError
from mayfly.rendezvous import offers
from mayfly.runtime.broker.answering import Answerer
from mayfly.signaling.description import Description, Kind
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from support.descriptions import description
from support.fake_broker import HASTY


async def test_an_answer_is_to_its_offer_and_our_addresses_are_told() -> None:
    told: list[Description] = []
    answerer = Answerer(MemoryEngine(MemoryNetwork()), LinkSettings(), HASTY, told.append)
    offer = offers.offer(description(Kind.OFFER))
    coming = await answerer.answer(offer.body)
    assert coming.answer.offer == offer.digest
    assert told == [coming.answer.description]
    await coming.close()


async def test_what_is_no_offer() -> None:
    answerer = Answerer(MemoryEngine(MemoryNetwork()), LinkSettings(), HASTY)
    with pytest.raises(ForgedError):
        await answerer.answer(b"nonsense")


async def test_looking_at_our_nat_leaves_nothing_open() -> None:
    network = MemoryNetwork()
    answerer = Answerer(MemoryEngine(network), LinkSettings(), HASTY)
    await answerer.look()
    assert answerer.nat == "unknown"
    assert network.offers[0].spent
    network.gathers = False
    with pytest.raises(GatheringError):
        await answerer.look()
