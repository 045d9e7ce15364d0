"""The chat of a person at a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mayfly.runtime.shutdown import Shutdown
from mayfly_cli import screenchat
from mayfly_cli.chatting import Chat
from mayfly_cli.screenchat import at_terminal, pending
from unit.cli.played import TRANSFER, Listener, Played, change, progress


class Typist:
    """Stands for the screen: types lines, then leaves or stays."""

    def __init__(self, *lines: str, stays: bool = False) -> None:
        self._lines = lines
        self._stays = stays
        self.refreshed = 0

    async def run(self, typed: Callable[[str], Awaitable[bool]]) -> None:
        for line in self._lines:
            if not await typed(line):
                return
        if self._stays:
            await asyncio.Event().wait()

    def refresh(self) -> None:
        self.refreshed += 1


async def chat(
    played: Played, screen: Any, *, own: bool = False, shutdown: Shutdown | None = None
) -> tuple[int, Listener]:
    listener = Listener()
    async with played.desk(listener.people, own=own) as desk:
        talk = Chat(desk, listener.people, to=None, patience=1.0)
        return await at_terminal(talk, listener.people, shutdown or Shutdown(), screen), listener


async def test_a_person_talks_and_leaves_when_it_has_arrived() -> None:
    played = Played()
    played.answers["say"] = {"id": "1", "to": ["anna"]}
    played.then["say"] = [{"event": "delivered", "id": "1", "by": "anna"}]
    screen = Typist("hello", "/quit")
    code, listener = await chat(played, screen)
    assert code == 0
    assert "You are relay. Here: anna." in listener.out
    assert "you: hello  ✓" in listener.out
    assert screen.refreshed


async def test_receipts_are_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screenchat, "LAST_WORDS", 0.05)
    played = Played()
    played.answers["say"] = {"id": "1", "to": ["anna"]}
    _, listener = await chat(played, Typist("hello"))
    assert "anna has not confirmed it" in listener.out


async def test_a_program_that_ends_ends_the_chat() -> None:
    played = Played()
    played.end_after = "chat"
    code, listener = await chat(played, Typist(stays=True))
    assert code == 0
    assert "The program has ended, and the chat with it." in listener.out


async def test_the_other_side_s_end_too() -> None:
    played = Played()
    played.then["chat"] = [{"event": "closed", "peer": 1, "reason": ""}]
    _, listener = await chat(played, Typist(stays=True), own=True)
    assert "The chat is over." in listener.out


async def test_a_signal_ends_it() -> None:
    shutdown = Shutdown()
    shutdown.request_drain()
    assert (await chat(Played(), Typist(stays=True), shutdown=shutdown))[0] == 0


async def test_an_offer_says_what_to_type() -> None:
    played = Played()
    played.then["chat"] = [{
        "event": "offered", "transfer": TRANSFER, "peer": 1, "from": "anna", "kind": "files", "name": "a", "size": 1,
        "files": 1,
    }]  # fmt: skip
    played.end_after = "chat"
    _, listener = await chat(played, Typist(stays=True))
    assert "/accept 1 takes it, /decline 1 refuses it." in listener.out


async def test_what_stands_below() -> None:
    played, listener = Played(), Listener()
    async with played.desk(listener.people) as desk:
        talk = Chat(desk, listener.people, to=None, patience=1.0)
        assert pending(talk) == []
        talk.mail.sent("1", "a\nb" + "c" * 100, None, ["anna"])
        talk.tally.begin(TRANSFER, 1, outgoing=True, name="film.mkv", who="anna")
        for message in (change("accepted"), progress(1000)):
            played.tell(message)
            await desk.next()
        letter, transfer = pending(talk)
        assert transfer == "[1] film.mkv to anna: 50 % · 1.0 kB of 2.0 kB · 500 B/s · 0:02 left"
        assert letter.startswith("… a\\nbccc")
        assert len(letter) <= 62
        for number in range(2, 10):
            talk.mail.sent(str(number), f"line {number}", None, ["anna"])
        assert pending(talk)[:2] == ["… 4 more", "… line 5"]
