"""Reaching a program that runs, or one of a command's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mayfly.runtime.events import Closed, Joined
from unit.cli import samples
from unit.cli.conftest import Command, FakePeer, Typing
from unit.cli.played import Listener, Played, change

OFFER = samples.offer().text


def test_the_only_running_program_is_attached_to(
    mayfly: Command, runtime_directory: Path, peer_program: FakePeer
) -> None:
    played = Played()
    played.answers["send"] = {"transfers": [], "name": "x", "total": 1, "files": 1, "left_out": []}
    with played.listening(runtime_directory):
        assert mayfly("send", "--text", "x").exit_code == 0
    assert [request["request"] for request in played.requests] == ["send"]
    assert peer_program.options == []


def test_of_several_one_is_named(mayfly: Command, runtime_directory: Path) -> None:
    first, second = Played(), Played("client")
    first.answers["send"] = second.answers["send"] = {
        "transfers": [], "name": "x", "total": 1, "files": 1, "left_out": [],
    }  # fmt: skip
    with first.listening(runtime_directory), second.listening(runtime_directory):
        unclear = mayfly("send", "--text", "x")
        assert unclear.exit_code == 2
        assert "Several programs run here: client, relay." in unclear.stderr
        assert mayfly("send", "--text", "x", "--session", "client").exit_code == 0
        missing = mayfly("send", "--text", "x", "--session", "other")
        assert missing.exit_code == 7
    assert (len(first.requests), len(second.requests)) == (0, 1)


@pytest.mark.parametrize("arguments", [("--alone",), ("--code", OFFER)])
def test_a_link_of_its_own_can_be_asked_for(
    mayfly: Command, runtime_directory: Path, peer_program: FakePeer, arguments: tuple[str, ...]
) -> None:
    played, peer_program.played = Played(), Played("peer")
    peer_program.played.answers["send"] = {"transfers": [], "name": "x", "total": 1, "files": 1, "left_out": []}
    with played.listening(runtime_directory):
        assert mayfly("send", "--text", "x", *arguments).exit_code == 0
    assert played.requests == []
    assert peer_program.options[0].code == (OFFER if "--code" in arguments else None)
    assert peer_program.options[0].hub.user == "sender"


def test_without_a_program_there_is_a_link_of_its_own(mayfly: Command, peer_program: FakePeer) -> None:
    peer_program.played = Played("peer")
    peer_program.played.answers["send"] = {"transfers": [], "name": "x", "total": 1, "files": 1, "left_out": []}
    result = mayfly("send", "--text", "x", "--nick", "anna", "--bind", "127.0.0.1", "--json")
    assert result.exit_code == 0
    options = peer_program.options[0]
    assert (options.hub.user, options.link.stun) == ("anna", ())
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == ["connected"]


def test_a_session_and_a_code_exclude_each_other(mayfly: Command) -> None:
    result = mayfly("chat", OFFER, "--session", "relay")
    assert result.exit_code == 2
    assert "needs no code" in result.stderr


async def test_events_of_our_own_link_are_told_once() -> None:
    played, listener = Played(), Listener()
    async with played.desk(listener.machines, own=True) as desk:
        await desk.request("chat")
        played.tell(
            {"event": "warning", "stage": "link", "message": "m", "hint": ""},
            {"event": "warning", "stage": "transfer", "message": "m", "hint": ""},
            {"event": "joined", "name": "anna"},
            {"event": "newer"},
            {"event": "closed", "peer": 1, "reason": ""},
        )
        kinds = [type(await desk.next()).__name__ for _ in range(4)]
        assert kinds == ["Warned", "Warned", "Joined", "NoneType"]
        assert desk.gone
    assert [event["event"] for event in listener.events] == ["warning", "joined"]


async def test_events_of_a_running_program_are_all_told() -> None:
    played, listener = Played(), Listener()
    played.end_after = "chat"
    played.then["chat"] = [{"event": "joined", "name": "anna"}, {"event": "closed", "peer": 1, "reason": ""}]
    async with played.desk(listener.machines) as desk:
        await desk.request("chat")
        assert [await desk.next(), await desk.next(), await desk.next()] == [Joined("anna"), Closed(1, ""), None]
        assert desk.gone
    assert len(listener.events) == 2


def test_codes_come_from_a_file_where_standard_input_is_sent(
    mayfly: Command, peer_program: FakePeer, type_in: Typing, tmp_path: Path
) -> None:
    type_in("the data")
    (tmp_path / "answers").write_text(samples.answer().text + "\n")
    peer_program.codes, peer_program.played = 1, Played("peer")
    peer_program.played.answers["send"] = {"transfers": [], "name": "x", "total": None, "files": 1, "left_out": []}
    result = mayfly("send", "-", "--codes", str(tmp_path / "answers"), "--json")
    assert result.exit_code == 0
    assert peer_program.read == [samples.answer().text]
    assert peer_program.played.read == [b"the data"]


def test_without_a_terminal_and_a_file_there_is_nowhere_to_read_codes(
    mayfly: Command, peer_program: FakePeer, tmp_path: Path
) -> None:
    result = mayfly("send", "-", "--codes", str(tmp_path / "none"))
    assert result.exit_code == 2
    assert "cannot be read: no such file" in result.stderr
    assert peer_program.options == []


def test_what_the_program_says_goes_on_is_told(mayfly: Command, runtime_directory: Path) -> None:
    played = Played()
    played.answers["send"] = {
        "transfers": [{"transfer": "ab" * 16, "peer": 1, "to": "anna"}],
        "name": "x",
        "total": 1,
        "files": 1,
        "left_out": [],
    }
    played.then["send"] = [change("accepted"), change("completed")]
    with played.listening(runtime_directory):
        result = mayfly("send", "--text", "x", "--json")
    assert result.exit_code == 0
    assert [json.loads(line)["state"] for line in result.stdout.splitlines()] == ["accepted", "completed"]
