"""The client's side: what it asks for, and what it leaves behind."""

from __future__ import annotations

import pytest

from mayfly.errors import BrokerDownError, BrokerRefusedError, CodeGoneError, ForgedError, RendezvousError
from mayfly.rendezvous.messages import NewMatch, PoolMatch, Want
from mayfly.rendezvous.shortcode import ShortCode
from mayfly.runtime.broker.exchange import to_text
from mayfly.runtime.broker.options import Wish
from mayfly.runtime.events import Posted
from support.meeting_place import meeting_place

CODE = ShortCode("7", ("copper", "tulip"))


async def test_the_wish_and_our_nat_reach_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        asked: list[NewMatch] = []
        real = place.broker.match

        async def match(wanted: NewMatch) -> object:
            asked.append(wanted)
            return await real(wanted)

        monkeypatch.setattr(place.broker, "match", match)
        with pytest.raises(BrokerRefusedError, match="No relay is free"):
            await place.guest.stranger(Wish(upstream="tor", serves="web"), ["p" * 16])
        want = Want(nat="unknown", upstream="tor", serves="web")
        assert asked == [PoolMatch(version=1, want=want, exclude=("p" * 16,))]
        assert place.network.offers[0].spent


async def test_offers_are_closed_whatever_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        with pytest.raises(CodeGoneError):
            await place.guest.friend(CODE)
        place.broker.down = True
        with pytest.raises(BrokerDownError):
            await place.guest.friend(CODE)
        assert all(offer.spent for offer in place.network.offers)


@pytest.mark.parametrize("key", ["A" * 43, "x"], ids=["a point of no use", "no key"])
async def test_a_key_that_is_none(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    async with meeting_place(monkeypatch) as place:
        place.invite(place.pool_host())
        await place.script.event(Posted)
        place.broker.swap_key = key
        with pytest.raises(ForgedError):
            await place.guest.stranger(Wish())


async def test_the_match_is_told_before_the_link_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        place.invite(place.pool_host())
        await place.script.event(Posted)
        place.broker.tamper = lambda _who, _body: to_text(b"\x02nonsense")
        given: list[str] = []
        with pytest.raises(RendezvousError):
            await place.guest.stranger(Wish(), (), given.append)
        assert given == list(place.broker.postings)
