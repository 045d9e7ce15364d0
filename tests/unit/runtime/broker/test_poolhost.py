"""A relay in the pool: seats, refreshing, restarts, and brokers that lie."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.errors import BrokerRefusedError, ForgedError, MayflyError, RefusedError
from mayfly.rendezvous.sealing import ReceivingKey
from mayfly.runtime.broker.exchange import to_text
from mayfly.runtime.broker.options import Wish
from mayfly.runtime.events import Posted
from support.fake_broker import FakeBroker
from support.links import End
from support.meeting_place import ABOUT, meeting_place


async def test_a_stranger_comes_and_the_relay_says_what_it_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = place.welcome(place.pool_host())
        posted = await place.script.event(Posted)
        assert posted.broker == place.broker.url
        found = await place.guest.stranger(Wish())
        await host
        assert found.about == ABOUT
        assert found.met.words == place.met[0].words


async def test_seats_are_never_given_twice_whatever_the_broker_does(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = await place.posted(seats=1)
        await place.guest.stranger(Wish())
        next(iter(place.broker.postings.values())).capacity = 9  # a broker that does not count
        with pytest.raises(RefusedError, match="no seat"):
            await place.guest.stranger(Wish())
        host.freed()
        place.invite(host)
        await place.guest.stranger(Wish())


async def test_a_reply_key_that_is_none_leaves_no_answer_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        await place.posted(seats=1)
        monkeypatch.setattr(ReceivingKey, "public", property(lambda _: bytes(32)))
        for _ in range(3):
            next(iter(place.broker.postings.values())).capacity = 1  # a broker that does not count
            with pytest.raises(MayflyError):
                await place.guest.stranger(Wish())
        assert [answer for answer in place.network.answers.values() if not answer.done] == []


async def test_the_broker_hears_of_seats_taken_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = await place.posted(seats=2)
        await place.guest.stranger(Wish())
        await place.broker.until(lambda: any(update.capacity == 1 for update in place.broker.updates))
        host.freed()
        await place.broker.until(lambda: place.broker.updates[-1].capacity == 2)


async def test_a_restarted_broker_gets_the_posting_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = place.welcome(place.pool_host())
        await place.script.event(Posted)
        place.broker.restart()
        await place.script.event(Posted, 2)
        await place.guest.stranger(Wish())
        await host


async def test_another_broker_is_taken_when_one_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    other = FakeBroker("https://other.example")
    async with meeting_place(monkeypatch, other) as place:
        await place.posted()
        place.broker.down = True
        place.broker.restart()
        assert (await place.script.event(Posted, 2)).broker == other.url


async def test_leaving_takes_the_posting_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = await place.posted()
        await host.aclose()
        assert not place.broker.postings
        with pytest.raises(BrokerRefusedError, match="No relay is free"):
            await place.guest.stranger(Wish())


@pytest.mark.parametrize("call", ["news", "update", "say", "end"])
async def test_an_answer_of_the_broker_that_is_lost_harms_nobody(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    async with meeting_place(monkeypatch) as place:
        place.broker.lost = [call]
        host = place.welcome(place.pool_host())
        await place.script.event(Posted)
        await place.guest.stranger(Wish())
        await host


async def test_a_posting_that_was_made_unheard_misleads_a_client_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        place.broker.lost = ["post"]
        place.welcome(place.pool_host())
        await place.script.event(Posted)
        given: list[str] = []
        with pytest.raises(RefusedError, match="did not answer"):
            await place.guest.stranger(Wish(), on_match=given.append)
        await place.guest.stranger(Wish(), given)


@pytest.mark.parametrize("sender", ["client", "relay"])
async def test_a_broker_that_tampers_gets_no_link(monkeypatch: pytest.MonkeyPatch, sender: str) -> None:
    async with meeting_place(monkeypatch) as place:

        def tamper(who: str, body: str) -> str:
            return body if who != sender else body[:60] + ("A" if body[60] != "A" else "B") + body[61:]

        place.broker.tamper = tamper
        await place.posted()
        with pytest.raises((ForgedError, RefusedError)):
            await place.guest.stranger(Wish())
        assert not place.network.links


async def test_a_broker_that_swaps_the_key_gets_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        place.broker.swap_key = to_text(ReceivingKey().public)
        await place.posted()
        with pytest.raises(RefusedError, match="could not read"):
            await place.guest.stranger(Wish())


async def test_a_client_that_never_sends_gives_its_seat_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        await place.posted(seats=1)
        place.broker.tamper = lambda _who, _body: "A"  # nothing that could be an offer
        with pytest.raises((ForgedError, RefusedError)):
            await place.guest.stranger(Wish())
        place.broker.tamper = lambda _who, body: body
        next(iter(place.broker.postings.values())).capacity = 1
        await place.guest.stranger(Wish())


async def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = place.pool_host()
        waiting = place.invite(host)
        await place.script.event(Posted)
        await place.guest.stranger(Wish())
        await waiting
        found = await place.guest.stranger(Wish())  # nobody has taken this one in when the relay leaves
        await host.aclose()
        await End(found.met.link).until(lost=1)
        waiting.cancel()
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) <= 3  # this test, and goodbyes of the clients
