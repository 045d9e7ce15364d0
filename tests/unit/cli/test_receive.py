"""`mayfly receive`: its own options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mayfly_cli import terminals
from unit.cli import samples
from unit.cli.conftest import Command, FakePeer, Typing, refused
from unit.cli.played import OFFER, TRANSFER, Played, change

CODE = samples.offer().text


def program(name: str = "relay") -> Played:
    played = Played(name)
    played.answers["receive"] = {"offers": [OFFER]}
    played.then["accept"] = [change("accepted"), change("completed")]
    return played


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "can_ask", lambda: True)


def test_it_is_stored_here(
    mayfly: Command, runtime_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    played = program()
    with played.listening(runtime_directory):
        result = mayfly("receive", "--yes")
    assert result.exit_code == 0
    assert played.requests[1] == {"request": "accept", "transfer": TRANSFER, "peer": 1, "into": str(tmp_path)}
    assert "anna offers film.mkv (2.0 kB, 1 file)" in result.stdout


def test_or_where_it_is_told_to(mayfly: Command, runtime_directory: Path, tmp_path: Path) -> None:
    played = program()
    with played.listening(runtime_directory):
        assert mayfly("receive", "--yes", "--overwrite", "--into", str(tmp_path)).exit_code == 0
    assert played.requests[1]["into"] == str(tmp_path)
    assert played.requests[1]["overwrite"] is True


def test_standard_output_gets_the_data_alone(mayfly: Command, runtime_directory: Path) -> None:
    played = program()
    with played.listening(runtime_directory):
        result = mayfly("receive", "--yes", "--into", "-")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "film.mkv" in result.stderr
    assert played.requests[1]["fds"] == 1


def test_machines_events_give_way_to_the_data(mayfly: Command, runtime_directory: Path) -> None:
    with program().listening(runtime_directory):
        result = mayfly("receive", "--yes", "--into", "-", "--json")
    assert result.stdout == ""
    assert [json.loads(line)["event"] for line in result.stderr.splitlines()] == ["offered", "transfer", "transfer"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--yes", "--into", "/none/such"], "--into: the value names no directory that exists"),
        ([], "--yes takes it without asking."),
        (["--yes", "--offer", CODE], "--offer and a CODE exclude each other"),
    ],
)
def test_mistakes(mayfly: Command, peer_program: FakePeer, arguments: list[str], words: str) -> None:
    refused(mayfly("receive", *arguments), words)
    assert peer_program.options == []


@pytest.mark.usefixtures("on_terminal")
def test_a_person_is_asked(mayfly: Command, runtime_directory: Path, type_in: Typing) -> None:
    type_in("n\n")
    played = program()
    with played.listening(runtime_directory):
        result = mayfly("receive")
    assert result.exit_code == 8
    assert "Take film.mkv (2.0 kB, 1 file) from anna? [y/n]" in result.stdout


@pytest.mark.usefixtures("on_terminal")
def test_a_person_is_told_that_it_waits(mayfly: Command, runtime_directory: Path, type_in: Typing) -> None:
    type_in("n\n")
    played = program()
    played.answers["receive"] = {"offers": []}
    played.then["receive"] = [OFFER]
    with played.listening(runtime_directory):
        result = mayfly("receive")
    assert result.exit_code == 8
    assert result.stdout.index("Nothing is offered yet.") < result.stdout.index("Take film.mkv")


def test_a_code_is_answered(mayfly: Command, peer_program: FakePeer) -> None:
    peer_program.played = program("peer")
    assert mayfly("receive", CODE, "--yes").exit_code == 0
    assert peer_program.options[0].code == CODE
    assert peer_program.options[0].hub.user == "receiver"


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_without_a_code_one_is_read(
    mayfly: Command, peer_program: FakePeer, type_in: Typing, arguments: tuple[str, ...]
) -> None:
    type_in(f"{CODE}\ny\n")
    peer_program.played = program("peer")
    assert mayfly("receive", *arguments, "--json").exit_code == 0
    assert peer_program.options[0].code == CODE


def test_an_offer_can_be_made_instead(mayfly: Command, peer_program: FakePeer) -> None:
    peer_program.played = program("peer")
    assert mayfly("receive", "--offer", "--yes", "--json").exit_code == 0
    assert peer_program.options[0].code is None
