"""`mayfly send`: its own options."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mayfly_cli import running
from unit.cli.conftest import Command, Typing, refused
from unit.cli.played import TRANSFER, Played, change

REPLY: dict[str, Any] = {
    "transfers": [{"transfer": TRANSFER, "peer": 1, "to": "anna"}],
    "name": "film.mkv",
    "total": 2000,
    "files": 1,
    "left_out": [],
}


@pytest.fixture
def played() -> Played:
    played = Played()
    played.answers["send"] = REPLY
    played.then["send"] = [change("accepted"), change("completed")]
    return played


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "film.mkv"
    path.write_bytes(b"x")
    return path


def test_paths_become_absolute_and_links_stay(
    mayfly: Command, played: Played, film: Path, runtime_directory: Path
) -> None:
    (film.parent / "link").symlink_to("film.mkv")
    with played.listening(runtime_directory):
        result = mayfly("send", "film.mkv", "./link")
    assert result.exit_code == 0
    assert played.requests == [{"request": "send", "paths": [str(film), str(film.parent / "link")]}]
    assert "film.mkv to anna: offered, waiting for an answer" in result.stdout
    assert "film.mkv to anna: complete" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "members"),
    [
        (["--to", "anna", "--text", "hi"], {"to": "anna", "text": "hi"}),
        (["--to-all", "--text", "hi"], {"all": True, "text": "hi"}),
        (["--symlinks", "film.mkv"], {"symlinks": True}),
    ],
)
def test_options_become_members(
    mayfly: Command, played: Played, film: Path, runtime_directory: Path, arguments: list[str], members: dict[str, Any]
) -> None:
    with played.listening(runtime_directory):
        assert mayfly("send", *arguments).exit_code == 0
    sent = {name: value for name, value in played.requests[0].items() if name not in ("request", "paths")}
    assert sent == members


@pytest.mark.parametrize(("arguments", "name"), [([], "stdin"), (["--filename", "a.tar"], "a.tar")])
def test_standard_input_is_passed_along(
    mayfly: Command, played: Played, type_in: Typing, runtime_directory: Path, arguments: list[str], name: str
) -> None:
    type_in("the data")
    with played.listening(runtime_directory):
        assert mayfly("send", "-", *arguments).exit_code == 0
    assert played.requests == [{"request": "send", "name": name, "fds": 1}]
    assert played.read == [b"the data"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Say what to send"),
        (["film.mkv", "--text", "x"], "Say what to send"),
        (["--text", ""], "--text takes 1 to"),
        (["--text", "x" * 300_000], "--text takes 1 to"),
        (["nowhere"], "There is no 'nowhere' here."),
        (["-", "film.mkv"], "- stands alone"),
        (["film.mkv", "--filename", "x"], "--filename is for standard input alone"),
        (["film.mkv", "--to", "a", "--to-all"], "--to and --to-all exclude each other"),
    ],
)
def test_mistakes_are_told_before_anything_is_asked(
    mayfly: Command, played: Played, film: Path, runtime_directory: Path, arguments: list[str], words: str
) -> None:
    with played.listening(runtime_directory):
        refused(mayfly("send", *arguments), words)
    assert played.requests == []


def test_what_is_no_file_is_told_before_anybody_is_asked_to_come(
    mayfly: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    Path("nowhere").symlink_to("gone")
    refused(mayfly("send", "fifo"), "'fifo' is neither a file nor a directory.")
    refused(mayfly("send", "/dev/null"), "neither a file nor a directory")
    refused(mayfly("send", "nowhere"), "There is no 'nowhere' here.")
    Path("round").symlink_to("round")
    refused(mayfly("send", "round"), "There is no 'round' here.")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_cannot_be_read_is_told(mayfly: Command, film: Path) -> None:
    film.chmod(0)
    assert "cannot be read" in mayfly("send", "film.mkv").stderr


def test_links_that_are_left_out_are_named(
    mayfly: Command, played: Played, film: Path, runtime_directory: Path
) -> None:
    played.answers["send"] = {**REPLY, "left_out": [f"dir/link\x1b{number}" for number in range(30)]}
    with played.listening(runtime_directory):
        result = mayfly("send", "film.mkv")
        machine = mayfly("send", "film.mkv", "--json")
    assert result.exit_code == 0
    assert "dir/link\\x1b0" in result.stderr
    assert "dir/link\\x1b20" not in result.stderr
    assert "--symlinks" in json.loads(machine.stdout.splitlines()[0])["hint"]


@pytest.mark.parametrize(("state", "code"), [("declined", 8), ("cancelled", 9), ("interrupted", 10)])
def test_exit_codes(
    mayfly: Command, played: Played, film: Path, runtime_directory: Path, state: str, code: int
) -> None:
    played.then["send"] = [change(state)]
    with played.listening(runtime_directory):
        assert mayfly("send", "film.mkv").exit_code == code


def test_a_refusal_is_told_in_the_program_s_words(mayfly: Command, film: Path, runtime_directory: Path) -> None:
    from mayfly.errors import ControlError

    played = Played()
    played.answers["send"] = ControlError("Nobody is connected.", hint="Wait.")
    with played.listening(runtime_directory):
        result = mayfly("send", "film.mkv")
    assert result.exit_code == 2
    assert "error (control): Nobody is connected.\nNext: Wait.\n" in result.stderr
    assert running.STANDARD_INPUT == 0
