"""A chat at a desk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.chat.records import MAX_TEXT
from mayfly.errors import ControlError, ExitCode, UsageError
from mayfly.runtime.shutdown import Shutdown
from mayfly_cli.chatting import Chat, pieces
from mayfly_cli.pasting import Lines
from unit.cli.played import OFFER, STATUS, TRANSFER, Listener, Played, change

MISSED = {"event": "message", "from": "anna", "to": None, "text": "earlier", "time": 1_800_000_000_000, "id": "x"}


def program() -> Played:
    """One in whose room everybody confirms everything."""
    played, count = Played(), iter(range(1, 100_000))

    def say(request: dict[str, Any]) -> dict[str, Any]:
        number = str(next(count))
        to = [request["to"]] if request.get("to") else ["anna"]
        played.then["say"] = [{"event": "delivered", "id": number, "by": name} for name in to]
        return {"id": number, "to": to}

    played.answers["say"] = say
    return played


@asynccontextmanager
async def chatting(played: Played, listener: Listener, *, people: bool = True, **more: Any) -> AsyncIterator[Chat]:
    teller = listener.people if people else listener.machines
    async with played.desk(teller, own=more.pop("own", False)) as desk:
        yield Chat(desk, teller, **{"to": None, "patience": 5.0, **more})


async def pipe(chat: Chat, text: str, *, once: bool = False) -> int:
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    lines = Lines(read)
    try:
        return await chat.piped(lines, Shutdown(), once=once)
    finally:
        lines.close()
        os.close(read)


def said(played: Played) -> list[str]:
    return [request["text"] for request in played.requests if request["request"] == "say"]


async def test_every_piped_line_is_a_message() -> None:
    played, listener = program(), Listener()
    async with chatting(played, listener) as chat:
        assert await pipe(chat, "one\n\n/etc/hosts\nthree") == ExitCode.OK
    assert said(played) == ["one", "/etc/hosts", "three"]
    assert listener.out.count("✓") == 3


async def test_what_was_missed_is_told_first() -> None:
    played, listener = program(), Listener()
    played.answers["chat"] = {"name": "relay", "who": ["anna"], "missed": [MISSED]}
    async with chatting(played, listener, people=False) as chat:
        await pipe(chat, "hi\n")
    assert [event["text"] for event in listener.events if event["event"] == "message"] == ["earlier", "hi"]


@pytest.mark.parametrize(("own", "told"), [(True, ["anna"]), (False, [])])
async def test_who_came_before_we_listened_is_told_in_a_room_of_our_own(own: bool, told: list[str]) -> None:
    played, listener = program(), Listener()
    played.answers["chat"] = {"name": "ben", "who": ["anna"], "missed": []}
    async with chatting(played, listener, people=False, own=own) as chat:
        await pipe(chat, "/quit\n")
    assert [event["name"] for event in listener.events if event["event"] == "joined"] == told


async def test_machines_see_their_own_messages_and_their_receipts() -> None:
    played, listener = program(), Listener()
    async with chatting(played, listener, people=False) as chat:
        assert await pipe(chat, "hi\n//slash\n/msg bob psst\n") == ExitCode.OK
    assert said(played) == ["hi", "/slash", "psst"]
    own = [event for event in listener.events if event["event"] == "message"]
    assert [(event["from"], event["to"], event["id"]) for event in own] == [
        ("relay", None, "1"),
        ("relay", None, "2"),
        ("relay", "bob", "3"),
    ]
    assert [event["by"] for event in listener.events if event["event"] == "delivered"] == ["anna", "anna", "bob"]


async def test_nobody_to_hear_it_until_somebody_comes() -> None:
    played, listener = program(), Listener()
    played.answers["chat"] = {"name": "relay", "who": [], "missed": []}
    played.then["chat"] = [{"event": "joined", "name": "anna"}]
    async with chatting(played, listener) as chat:
        assert await pipe(chat, "hi\n") == ExitCode.OK
    assert said(played) == ["hi"]


async def test_nobody_comes() -> None:
    played, listener = program(), Listener()
    played.answers["chat"] = {"name": "relay", "who": [], "missed": []}
    async with chatting(played, listener, patience=0.05) as chat:
        assert await pipe(chat, "hi\nho\n") == ExitCode.UNDELIVERED
    assert said(played) == []


async def test_a_receipt_that_never_comes() -> None:
    played, listener = program(), Listener()
    played.answers["say"] = {"id": "1", "to": ["anna"]}
    async with chatting(played, listener, patience=0.05) as chat:
        assert await pipe(chat, "hi\n") == ExitCode.UNDELIVERED
    assert "anna has not confirmed it" in listener.out


async def test_a_message_for_nobody_was_not_delivered() -> None:
    played, listener = program(), Listener()
    played.answers["say"] = {"id": "1", "to": []}
    async with chatting(played, listener) as chat:
        assert await pipe(chat, "hi\n") == ExitCode.UNDELIVERED


async def test_the_other_side_leaves_before_it_was_said() -> None:
    played, listener = program(), Listener()
    played.answers["chat"] = {"name": "relay", "who": [], "missed": []}
    played.then["chat"] = [{"event": "closed", "peer": 1, "reason": ""}]
    async with chatting(played, listener, own=True) as chat:
        assert await pipe(chat, "hi\n", once=True) == ExitCode.UNDELIVERED


async def test_once_takes_an_empty_input_for_a_mistake() -> None:
    async with chatting(program(), Listener()) as chat:
        with pytest.raises(UsageError, match="nothing to send"):
            await pipe(chat, "\n\n", once=True)


async def test_machines_can_ask_who_is_here_and_quit() -> None:
    played, listener = program(), Listener()
    async with chatting(played, listener, people=False) as chat:
        assert await pipe(chat, "/help\n/who\n/quit\nnever\n") == ExitCode.OK
    assert [event["event"] for event in listener.events] == ["status"]
    assert listener.events[0]["who"] == STATUS["who"]
    assert said(played) == []


async def test_people_can_ask_too() -> None:
    played, listener = program(), Listener()
    async with chatting(played, listener) as chat:
        await chat.begin()
        assert await chat.obey("/who")
        assert await chat.obey("/help")
        assert await chat.obey(" ")
        assert not await chat.obey("/quit")
    assert "relay (you), anna" in listener.out
    assert "/msg NAME TEXT" in listener.out


async def test_mistakes_and_refusals_do_not_end_the_chat() -> None:
    played, listener = program(), Listener()
    played.answers["say"] = ControlError("Too many messages wait.", hint="Wait.")
    async with chatting(played, listener) as chat:
        for line in ("/nope", "hi", "/send /none/such", "/accept", "/pause 7"):
            assert await chat.obey(line)
    assert "There is no command /nope" in listener.err
    assert "Too many messages wait." in listener.err
    assert "There is no '/none/such' here." in listener.err
    assert listener.err.count("No offer waits for an answer.") == 1
    assert listener.err.count("No transfer is under way.") == 1


async def test_a_number_that_no_offer_has_is_a_mistake() -> None:
    played, listener = program(), Listener()
    played.then["chat"] = [OFFER]
    async with chatting(played, listener) as chat:
        await chat.begin()
        listening = asyncio.get_running_loop().create_task(chat.listen())
        async with asyncio.timeout(10):
            while not chat.tally.offered():
                await asyncio.sleep(0)
        for line in ("/accept 7", "/pause 7"):
            assert await chat.obey(line)
        listening.cancel()
    assert listener.err.count("There is no such offer.") == 1
    assert listener.err.count("There is no such transfer.") == 1


async def test_who_is_here_is_kept_up_to_date() -> None:
    played, listener = program(), Listener()
    played.then["chat"] = [{"event": "joined", "name": "bob"}, {"event": "left", "name": "anna"}]
    played.end_after = "chat"
    async with chatting(played, listener) as chat:
        await chat.begin()
        await chat.listen()
        assert chat.names == ["bob"]


@pytest.mark.parametrize("people", [True, False])
async def test_offers_are_taken_and_transfers_steered(people: bool, tmp_path: Path) -> None:
    played, listener = program(), Listener()
    played.then["chat"] = [OFFER]
    played.then["accept"] = [change("accepted")]
    async with chatting(played, listener, people=people) as chat:
        await chat.begin()
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(chat.listen())
            while not chat.tally.offered():
                await asyncio.sleep(0)
            assert await chat.obey(f"/accept 1 --into {tmp_path} --overwrite")
            while chat.tally.offered():
                await asyncio.sleep(0)
            for line in ("/pause", "/resume 1", f"/cancel {TRANSFER[:6]}"):
                assert await chat.obey(line)
            listening.cancel()
    accept = {"request": "accept", "transfer": TRANSFER, "peer": 1, "into": str(tmp_path), "overwrite": True}
    steer = [{"request": what, "transfer": TRANSFER, "peer": 1} for what in ("pause", "resume", "cancel")]
    assert played.requests[1:] == [accept, *steer]


@pytest.mark.parametrize("people", [True, False])
async def test_files_are_sent(people: bool, tmp_path: Path) -> None:
    played, listener = program(), Listener()
    played.answers["send"] = {
        "transfers": [{"transfer": TRANSFER, "peer": 1, "to": "anna"}],
        "name": "film.mkv",
        "total": 5,
        "files": 1,
        "left_out": ["link"],
    }
    (tmp_path / "film.mkv").touch()
    async with chatting(played, listener, people=people) as chat:
        assert await chat.obey(f"/send --to anna --symlinks {tmp_path / 'film.mkv'}")
        assert [each.name for each in chat.tally.running()] == ["film.mkv"]
    assert played.requests[0] == {
        "request": "send",
        "paths": [str(tmp_path / "film.mkv")],
        "to": "anna",
        "symlinks": True,
    }


@given(st.text(max_size=200), st.integers(1, 400))
def test_a_long_text_is_cut_and_nothing_lost(text: str, times: int) -> None:
    parts = pieces(text * times)
    assert all(len(part.encode()) <= MAX_TEXT for part in parts)
    assert "".join(parts).replace("\n", "") == (text * times).replace("\n", "")


def test_a_text_is_cut_between_lines() -> None:
    line = "x" * 10_000
    assert pieces(f"{line}\n{line}") == [line, line]
    assert pieces("ä" * 10_000)[0] == "ä" * (MAX_TEXT // 2)
