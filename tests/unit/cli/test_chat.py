"""`mayfly chat`: its own options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mayfly_cli import terminals
from unit.cli import samples
from unit.cli.conftest import Command, FakePeer, Typing
from unit.cli.played import Played

CODE = samples.offer().text


def program(name: str = "relay") -> Played:
    played = Played(name)
    played.answers["say"] = {"id": "1", "to": ["anna"]}
    played.then["say"] = [{"event": "delivered", "id": "1", "by": "anna"}]
    return played


def test_once_sends_all_of_standard_input_and_waits(mayfly: Command, runtime_directory: Path, type_in: Typing) -> None:
    type_in("two\nlines\n")
    played = program()
    with played.listening(runtime_directory):
        result = mayfly("chat", "--once")
    assert result.exit_code == 0
    assert played.requests[1:] == [{"request": "say", "text": "two\nlines"}]
    assert "you: two" in result.stdout
    assert "✓" in result.stdout


def test_not_delivered_is_an_exit_code(mayfly: Command, runtime_directory: Path, type_in: Typing) -> None:
    type_in("hi\n")
    played = program()
    played.then["say"] = [{"event": "undelivered", "id": "1", "to": "anna", "final": False, "certain": False}]
    with played.listening(runtime_directory):
        result = mayfly("chat", "--once", "--json")
    assert result.exit_code == 11
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == ["message", "undelivered"]


def test_a_private_message(mayfly: Command, runtime_directory: Path, type_in: Typing) -> None:
    type_in("psst\n")
    played = program()
    with played.listening(runtime_directory):
        assert mayfly("chat", "--to", "anna").exit_code == 0
    assert played.requests[1] == {"request": "say", "text": "psst", "to": "anna"}


def test_patience_has_an_end(mayfly: Command, runtime_directory: Path, type_in: Typing) -> None:
    type_in("hi\n")
    played = program()
    played.answers["chat"] = {"name": "relay", "who": [], "missed": []}
    with played.listening(runtime_directory):
        result = mayfly("chat", "--once", "--wait", "0.05")
    assert result.exit_code == 11
    assert "Nobody has come into the chat." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "name"), [((), None, "host"), ((CODE,), CODE, "guest"), (("--nick", "bob"), None, "bob")]
)
def test_a_link_of_its_own(
    mayfly: Command, peer_program: FakePeer, type_in: Typing, arguments: tuple[str, ...], code: str | None, name: str
) -> None:
    type_in(f"{samples.answer().text}\nhello\n")
    peer_program.played = program("peer")
    peer_program.codes = 1
    assert mayfly("chat", *arguments).exit_code == 0
    assert peer_program.options[0].code == code
    assert peer_program.options[0].hub.user == name
    assert peer_program.played.requests[1] == {"request": "say", "text": "hello"}


def test_codes_may_come_another_way_than_what_is_said(
    mayfly: Command, peer_program: FakePeer, type_in: Typing, tmp_path: Path
) -> None:
    type_in("hello\n")
    (tmp_path / "codes").write_text(samples.answer().text + "\n")
    peer_program.played, peer_program.codes = program("peer"), 1
    assert mayfly("chat", "--codes", str(tmp_path / "codes"), "--once").exit_code == 0
    assert peer_program.read == [samples.answer().text]
    assert peer_program.played.requests[1] == {"request": "say", "text": "hello"}


def test_a_person_at_a_terminal_gets_the_screen(
    mayfly: Command, runtime_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mayfly_cli import screenchat

    seen: list[object] = []

    async def at_terminal(*arguments: object) -> int:
        seen.extend(arguments)
        return 0

    for end in ("can_ask", "can_show"):
        monkeypatch.setattr(terminals, end, lambda: True)
    monkeypatch.setattr(screenchat, "at_terminal", at_terminal)
    with program().listening(runtime_directory):
        assert mayfly("chat").exit_code == 0
    assert len(seen) == 3
