"""A relay that shows short codes, and who comes to them."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.errors import CodeGoneError, ForgedError, RefusedError, WrongWordsError
from mayfly.rendezvous.shortcode import ShortCode, parse
from mayfly.runtime.broker.friendhost import SHORT
from mayfly.runtime.events import CodeReady, Warned
from mayfly.signaling.wordlist import WORDS
from support.meeting_place import Place, meeting_place


async def shown(place: Place, count: int = 1) -> ShortCode:
    event = await place.script.event(CodeReady, count)
    assert event.kind == SHORT
    return parse(event.code)


def wrong(code: ShortCode) -> ShortCode:
    first, second = code.words
    return ShortCode(code.nameplate, (first, next(word for word in WORDS if word != second)))


async def test_a_friend_comes_and_both_see_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = place.welcome(place.friend_host())
        found = await place.guest.friend(await shown(place))
        await host
        assert found.met.words == place.met[0].words
        assert found.met.link.offerer and not place.met[0].link.offerer
        assert not place.script.all(Warned)


async def test_wrong_words_burn_a_try_and_are_said_on_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = place.welcome(place.friend_host())
        code = await shown(place)
        with pytest.raises(WrongWordsError):
            await place.guest.friend(wrong(code))
        assert "wrong words; 2 tries are left" in (await place.script.event(Warned)).message
        await place.guest.friend(code)
        await host


async def test_three_wrong_tries_burn_the_code_and_there_is_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = place.welcome(place.friend_host())
        code = await shown(place)
        for _ in range(3):
            with pytest.raises(WrongWordsError):
                await place.guest.friend(wrong(code))
        new = await shown(place, 2)
        assert new.words != code.words or new.nameplate != code.nameplate
        assert "burnt" in place.script.all(Warned)[-1].message
        with pytest.raises((CodeGoneError, WrongWordsError)):
            await place.guest.friend(code)
        await place.guest.friend(new)
        await host


async def test_the_relay_counts_for_itself_and_lets_nobody_in_after_the_third_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with meeting_place(monkeypatch) as place:
        place.welcome(place.friend_host())
        code = await shown(place)
        for _ in range(3):
            with pytest.raises(WrongWordsError):
                await place.guest.friend(wrong(code))
        with pytest.raises((RefusedError, CodeGoneError)):  # by the relay, or gone from the broker already
            await place.guest.friend(code)  # the right one
        assert place.broker.matches and not place.network.links


async def test_a_code_survives_a_broker_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = place.welcome(place.friend_host())
        code = await shown(place)
        place.broker.restart()
        await place.broker.until(lambda: bool(place.broker.postings))
        await place.guest.friend(code)
        await host
        assert len(place.script.all(CodeReady)) == 1


async def test_a_number_that_is_taken_after_a_restart_makes_a_new_code(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        first = place.friend_host()
        host = place.welcome(first)
        await shown(place)
        place.broker.down = True
        place.broker.restart()
        place.broker.down = False
        place.welcome(place.friend_host())  # may be faster and take the number
        await place.broker.until(lambda: len(place.broker.postings) == 2)
        code = await shown(place, 2)
        assert {each.created.nameplate for each in place.broker.postings.values()} == {"1", "2"}
        await place.guest.friend(code)
        host.cancel()


@pytest.mark.parametrize("call", ["post", "news", "say", "end"])
async def test_an_answer_of_the_broker_that_is_lost_harms_nobody(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    async with meeting_place(monkeypatch) as place:
        place.broker.lost = [call]
        host = place.welcome(place.friend_host())
        await place.guest.friend(await shown(place))
        await host


async def test_a_broker_that_is_down_is_said_once_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        place.broker.down = True
        host = place.welcome(place.friend_host())
        await place.broker.until(lambda: place.broker.calls.count("post") >= 5)
        assert len(place.script.all(Warned)) == 1
        place.broker.down = False
        await place.guest.friend(await shown(place))
        await host


@pytest.mark.parametrize("sender", ["client", "relay"])
@pytest.mark.parametrize("number", [1, 2])
async def test_a_broker_that_tampers_gets_no_link(monkeypatch: pytest.MonkeyPatch, sender: str, number: int) -> None:
    async with meeting_place(monkeypatch) as place:
        seen: list[str] = []

        def tamper(who: str, body: str) -> str:
            if who != sender:
                return body
            seen.append(body)
            return body[:20] + ("A" if body[20] != "A" else "B") + body[21:] if len(seen) == number else body

        place.broker.tamper = tamper
        place.welcome(place.friend_host())
        with pytest.raises((ForgedError, RefusedError, WrongWordsError)):
            await place.guest.friend(await shown(place))
        assert not place.network.links


async def test_leaving_takes_the_posting_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        host = place.welcome(place.friend_host())
        await shown(place)
        host.cancel()
        await asyncio.wait([host])
        assert not place.broker.postings


async def test_a_relay_without_an_address_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        place.welcome(place.friend_host())
        code = await shown(place)
        friend = place.guest.friend(code)
        offering = place.tasks.spawn(friend)
        await place.broker.until(lambda: "match" in place.broker.calls)
        place.network.gathers = False
        with pytest.raises(RefusedError, match="no address"):
            await offering
        assert place.script.all(Warned)
