"""The options about chat, files and running programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly.services.options import HubOptions
from mayfly_cli.sharing import directory, nickname
from unit.cli.conftest import Command, FakeProgram, refused


@pytest.mark.parametrize("command", ["relay", "client"])
def test_the_defaults_are_the_program_s(
    mayfly: Command, relay_program: FakeProgram, client_program: FakeProgram, command: str
) -> None:
    assert mayfly(command).exit_code == 0
    program = relay_program if command == "relay" else client_program
    assert program.last.hub == HubOptions()


@pytest.mark.parametrize("command", ["relay", "client"])
def test_every_option(
    mayfly: Command, relay_program: FakeProgram, client_program: FakeProgram, command: str, tmp_path: Path
) -> None:
    arguments = ("--name", "work", "--nick", "anna", "--accept-into", str(tmp_path), "--overwrite", "--no-control")
    assert mayfly(command, *arguments).exit_code == 0
    program = relay_program if command == "relay" else client_program
    assert program.last.hub == HubOptions(
        control=False, session="work", user="anna", accept_into=tmp_path, overwrite=True
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--name", "a/b"), "--name: 'a/b' cannot name a program."),
        (("--nick", " "), "--nick: the value is not a name"),
        (("--accept-into", "/none/such"), "--accept-into: the value names no directory"),
    ],
)
def test_mistakes(mayfly: Command, relay_program: FakeProgram, arguments: tuple[str, ...], words: str) -> None:
    refused(mayfly("relay", *arguments), words)
    assert relay_program.options == []


@pytest.mark.parametrize("text", ["", "  ", "a" * 65, "a\x1b", "a\u202eb", "a\nb"])
def test_no_name(text: str) -> None:
    with pytest.raises(ValueError, match="visible characters"):
        nickname(text)


def test_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "in").mkdir()
    assert directory("~/in") == tmp_path / "in"
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="no directory"):
        directory(str(tmp_path / "file"))
