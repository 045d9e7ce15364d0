"""The relay's end of one posting, and how much of a broker's nonsense it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from mayfly.config import RendezvousConfig
from mayfly.errors import BrokerDownError, BrokerRefusedError, ForgedError, RefusedError, RendezvousError
from mayfly.rendezvous.envelope import Reason, Refusal
from mayfly.rendezvous.messages import Arrived, ErrorName, FriendPosting, Opened
from mayfly.runtime.broker.exchange import to_text
from mayfly.runtime.broker.posting import Conversation, Posting, standing
from support.fake_broker import HASTY
from support.meeting_place import Place, meeting_place

POSTING = FriendPosting(version=1, lifetime=60.0)


async def posted(
    place: Place, talks: list[Conversation], trouble: Callable[[RendezvousError], None] = lambda _error: None
) -> Posting:
    created = await place.broker.post(POSTING)

    async def talk(conversation: Conversation) -> None:
        talks.append(conversation)
        await asyncio.Event().wait()

    return Posting(place.brokers, place.broker, created, talk, trouble)


async def test_a_broker_that_falls_silent_is_said_once_and_the_posting_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        troubles: list[RendezvousError] = []
        posting = await posted(place, [], troubles.append)
        place.broker.down = True
        running = place.tasks.spawn(posting.run())
        await place.broker.until(lambda: place.broker.calls.count("news") >= 6)
        assert [error.message for error in troubles] == ["The broker cannot be reached."]
        place.broker.down = False
        polls = place.broker.calls.count("news")
        await place.broker.until(lambda: place.broker.calls.count("news") > polls)
        assert not running.done()
        assert len(troubles) == 1
        running.cancel()
        await posting.aclose()


async def test_a_broker_cannot_make_us_hold_much(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        talks: list[Conversation] = []
        posting = await posted(place, talks)
        (there,) = place.broker.postings.values()
        for number in range(200):
            name = f"{number:016d}"
            there.events.append(Opened(seq=len(there.events) + 1, match=name))
            for n in range(20):
                there.events.append(Arrived(seq=len(there.events) + 1, match=name, n=n % 8 + 1, body="A" * 5000))
        running = place.tasks.spawn(posting.run())
        await place.broker.until(lambda: place.broker.calls.count("news") == 2)
        for _ in range(3):  # until the conversations have begun
            await asyncio.sleep(0)
        assert len(talks) == HASTY.max_matches
        assert talks[0].waiting <= RendezvousConfig().max_messages
        running.cancel()
        await posting.aclose()


def test_a_posting_stands_as_long_as_brokers_let_it() -> None:
    limits = RendezvousConfig()
    assert standing(0.0) == limits.min_lifetime
    assert standing(600.0) == 600.0
    assert standing(1e9) == limits.max_lifetime


async def test_why_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        posting = await posted(place, [])
        next(iter(place.broker.postings.values())).over = ErrorName.BURNED
        why = await posting.run()
        assert isinstance(why, BrokerRefusedError)
        assert why.code == ErrorName.BURNED


async def test_a_broker_that_comes_back_with_the_posting_is_polled_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        posting = await posted(place, [])
        place.broker.down = True
        running = place.tasks.spawn(posting.run())
        await place.broker.until(lambda: place.broker.calls.count("news") == 6)
        place.broker.down = False
        await place.broker.until(lambda: place.broker.calls.count("news") == 7)
        assert not running.done()


async def test_a_client_that_says_nothing_or_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        conversation = Conversation(await posted(place, []), "m" * 16)
        with pytest.raises(RefusedError, match="did not go on"):
            await conversation.hear()
        conversation.deliver(to_text(b"\x09nonsense"))
        with pytest.raises(ForgedError):
            await conversation.hear()
        conversation.close("expired")
        with pytest.raises(RefusedError):
            await conversation.hear()


async def test_sending_gives_up_after_some_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        conversation = Conversation(await posted(place, []), "m" * 16)
        place.broker.down = True
        with pytest.raises(BrokerDownError):
            await conversation.say(Refusal(Reason.FULL))
        assert place.broker.calls.count("say") == 3
