"""What `mayfly receive` does at its desk."""

from __future__ import annotations

import os
from typing import Any

import pytest

from mayfly.errors import ExitCode
from mayfly.runtime.shutdown import Shutdown
from mayfly_cli.pasting import Lines
from mayfly_cli.taking import Taking
from unit.cli.played import OFFER, TRANSFER, Listener, Played, change

PLACE = {"into": "/srv"}


async def take(
    played: Played, listener: Listener, *, people: bool = False, yes: bool = True, typed: str = "", own: bool = False
) -> int:
    read, write = os.pipe()
    os.write(write, typed.encode())
    os.close(write)
    lines = Lines(read)
    teller = listener.people if people else listener.machines
    try:
        async with played.desk(teller, own=own) as desk:
            return await Taking(desk, teller, lines, Shutdown(), PLACE, yes=yes).run()
    finally:
        lines.close()
        os.close(read)


def program(*events: dict[str, Any], waiting: bool = False) -> Played:
    """A program with an offer, that then says this."""
    played = Played()
    if waiting:
        played.answers["receive"] = {"offers": [OFFER]}
    else:
        played.then["receive"] = [OFFER]
    played.then["accept"] = list(events) or [change("accepted"), change("completed")]
    return played


@pytest.mark.parametrize("waiting", [True, False])
async def test_what_waits_or_comes_is_taken(waiting: bool) -> None:
    played, listener = program(waiting=waiting), Listener()
    assert await take(played, listener) == ExitCode.OK
    assert [event["event"] for event in listener.events] == ["offered", "transfer", "transfer"]
    assert played.requests[1] == {"request": "accept", "transfer": TRANSFER, "peer": 1, "into": "/srv"}


async def test_a_person_is_asked() -> None:
    played, listener = program(), Listener()
    assert await take(played, listener, people=True, yes=False, typed="what\nYes\n") == ExitCode.OK
    assert listener.out.count("Take film.mkv (2.0 kB, 1 file) from anna? [y/n]") == 2
    assert "mayfly receive" not in listener.out


@pytest.mark.parametrize("typed", ["n\n", ""])
async def test_no_and_nobody_there_are_a_refusal(typed: str) -> None:
    played, listener = program(), Listener()
    assert await take(played, listener, people=True, yes=False, typed=typed) == ExitCode.DECLINED
    assert played.requests[1] == {"request": "decline", "transfer": TRANSFER, "peer": 1}


async def test_a_machine_answers_on_a_line() -> None:
    played, listener = program(), Listener()
    assert await take(played, listener, yes=False, typed="y\n") == ExitCode.OK


@pytest.mark.parametrize("people", [True, False])
async def test_of_what_was_typed_before_the_question_only_a_persons_is_forgotten(
    people: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    played, listener, asked = program(), Listener(), []
    monkeypatch.setattr(Lines, "forget_typed", lambda _: asked.append("[y/n]" in listener.out))
    assert await take(played, listener, people=people, yes=False, typed="y\n") == ExitCode.OK
    assert asked == ([False] if people else [])  # once, and before it is asked


async def test_a_text_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    played, listener = program(change("accepted"), {**change("completed"), "text": "raw\x1b[2J"}), Listener()
    assert await take(played, listener, people=True) == ExitCode.OK
    assert capsys.readouterr().out == "raw\x1b[2J\n"  # not a terminal: a program reads it
    assert "raw" not in listener.out


async def test_a_text_is_escaped_for_a_person(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    played, listener = program(change("accepted"), {**change("completed"), "text": "a\nraw\x1b[2J"}), Listener()
    assert await take(played, listener, people=True) == ExitCode.OK
    assert capsys.readouterr().out == "a\nraw\\x1b[2J\n"


async def test_an_incomplete_one_says_so() -> None:
    assert await take(program(change("accepted"), change("interrupted")), Listener()) == ExitCode.INCOMPLETE


async def test_a_sender_that_leaves_without_an_offer() -> None:
    played, listener = Played(), Listener()
    played.then["receive"] = [{"event": "joined", "name": "anna"}, {"event": "closed", "peer": 1, "reason": ""}]
    assert await take(played, listener, own=True) == ExitCode.INCOMPLETE
    assert listener.events[-1]["message"] == "The other side has left without an offer."


async def test_ctrl_c_while_nothing_is_offered() -> None:
    played, listener, shutdown = Played(), Listener(), Shutdown()
    shutdown.request_drain()
    lines = Lines(0)
    async with played.desk(listener.machines) as desk:
        assert await Taking(desk, listener.machines, lines, shutdown, PLACE, yes=True).run() == ExitCode.INTERRUPTED
