"""Links, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mayfly.errors import CodeGoneError, GatheringError, MistypedCodeError, WrongWordsError
from mayfly.runtime.broker.source import BrokerSource
from mayfly.runtime.events import CodeReady, Posted, Warned
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory_engine import MemoryEngine
from support.fake_broker import broker_options
from support.meeting_place import Place, meeting_place
from support.programs_in_memory import Script


@asynccontextmanager
async def source(place: Place, script: Script, code: str | None = None) -> AsyncIterator[BrokerSource]:
    engine = MemoryEngine(place.network)
    async with BrokerSource(broker_options(), engine, LinkSettings(), script, code=code) as made:
        yield made


async def test_strangers_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        script = Script()
        for _ in range(2):
            place.welcome(place.pool_host())
        await place.script.event(Posted, 2)
        async with source(place, script) as strangers:
            first, second = await strangers.next(), await strangers.next()
            assert first.posting != second.posting
        assert not script.all(Warned)


async def test_what_may_get_better_is_said_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        script = Script()
        async with source(place, script) as strangers:
            waiting = place.tasks.spawn(strangers.next())
            await script.event(Warned)
            place.broker.down = True
            await script.event(Warned, 2)
            place.broker.down = False
            place.welcome(place.pool_host())
            await waiting
        assert [event.message for event in script.all(Warned)][:2] == [
            "No relay is free at the broker.",
            "The broker cannot be reached.",
        ]


async def test_a_friend(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        place.welcome(place.friend_host())
        code = (await place.script.event(CodeReady)).code
        async with source(place, Script(), code) as friend:
            assert (await friend.next()).met.link.offerer


async def test_a_friend_who_is_not_there_yet_and_one_who_never_is(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        script = Script()
        async with source(place, script, "1-copper-tulip") as friend:
            with pytest.raises(CodeGoneError):
                await friend.next()
        assert place.broker.calls.count("match") == 3
        assert script.all(Warned) == []  # the error says it


async def test_what_does_not_get_better_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    async with meeting_place(monkeypatch) as place:
        place.welcome(place.friend_host())
        code = (await place.script.event(CodeReady)).code
        other = code.rpartition("-")[0] + ("-zero" if not code.endswith("zero") else "-acorn")
        async with source(place, Script(), other) as friend:
            with pytest.raises(WrongWordsError):
                await friend.next()
        place.network.gathers = False
        async with source(place, Script()) as strangers:
            with pytest.raises(GatheringError):
                await strangers.next()
        with pytest.raises(MistypedCodeError):
            async with source(place, Script(), "7-no-code"):
                pass
