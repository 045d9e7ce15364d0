"""Several brokers: whom to ask first, and what to say when nobody helps."""

from __future__ import annotations

import pytest

from mayfly.errors import BrokerDownError, BrokerRefusedError
from mayfly.rendezvous.messages import FriendPosting, PoolMatch
from mayfly.runtime.broker.brokers import Brokers, chance, connect
from mayfly.runtime.broker.client import BrokerSession
from support.fake_broker import FakeBroker, broker_options
from support.meeting_place import patch

POSTING = FriendPosting(version=1, lifetime=60.0)


async def test_they_are_tried_in_order_and_the_one_that_worked_is_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = FakeBroker("https://one.example"), FakeBroker("https://two.example")
    patch(monkeypatch, first, second)
    async with Brokers(broker_options()) as brokers:
        first.down = True
        assert (await brokers.first(lambda each: each.post(POSTING)))[0] is second
        first.down = False
        assert (await brokers.first(lambda each: each.post(POSTING)))[0] is second
        assert first.calls == ["post"]
        assert brokers.avoid(second)
        assert (await brokers.first(lambda each: each.post(POSTING)))[0] is first


async def test_a_refusal_says_more_than_a_broker_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = FakeBroker(), FakeBroker()
    patch(monkeypatch, first, second)
    first.down = True
    async with Brokers(broker_options()) as brokers:
        with pytest.raises(BrokerRefusedError, match="No relay is free"):
            await brokers.first(lambda each: each.match(PoolMatch(version=1)))
        second.down = True
        with pytest.raises(BrokerDownError):
            await brokers.first(lambda each: each.match(PoolMatch(version=1)))


async def test_the_only_one_cannot_be_avoided(monkeypatch: pytest.MonkeyPatch) -> None:
    only = FakeBroker()
    patch(monkeypatch, only)
    async with Brokers(broker_options()) as brokers:
        assert not brokers.avoid(only)
        await brokers.first(lambda each: each.post(POSTING))


async def test_real_connections_are_made_without_asking_anybody() -> None:
    async with connect(broker_options()) as connections:
        assert isinstance(connections, BrokerSession)
        assert [each.url for each in connections.clients] == ["https://broker.example"]


def test_chance() -> None:
    assert all(0 <= chance() < 1 for _ in range(100))
