"""What a typed line means."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly_cli.typed import COMMANDS, HELP, Change, Mistake, Offer, Plain, Say, Typed, complete, understand

NAMES = ["anna", "anna maria", "bob"]


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("hello", Say("hello")),
        (" hello ", Say(" hello ")),
        ("//etc/hosts", Say("/etc/hosts")),
        ("two\nlines", Say("two\nlines")),
        ("/msg bob hi there", Say("hi there", "bob")),
        ("/msg anna maria hi", Say("hi", "anna maria")),
        ("/msg carol hi", Say("hi", "carol")),
        ("/send film.mkv", Offer((Path("film.mkv"),))),
        ("/send --to bob 'my film.mkv' b", Offer((Path("my film.mkv"), Path("b")), "bob")),
        ("/send --to-all --symlinks a", Offer((Path("a"),), None, True, True)),
        ("/send -- --to", Offer((Path("--to"),))),
        ("/accept", Change("accept")),
        ("/accept 2 --into /srv --overwrite", Change("accept", "2", Path("/srv"), True)),
        ("/decline ab12", Change("decline", "ab12")),
        ("/pause", Change("pause")),
        ("/cancel 3", Change("cancel", "3")),
        ("/who", Plain("who")),
        ("/quit ", Plain("quit")),
    ],
)
def test_meanings(line: str, meaning: Typed) -> None:
    assert understand(line, NAMES) == meaning


@pytest.mark.parametrize("line", ["", "  ", "\n"])
def test_blank_lines_mean_nothing(line: str) -> None:
    assert understand(line, NAMES) is None


@pytest.mark.parametrize(
    "line",
    ["/nope", "/msg bob", "/msg", "/send", "/send --to bob", "/send 'open", "/send -x", "/send --to a --to-all b",
     "/accept 1 2", "/pause --into x", "/who me", "/accept 'open"],
)  # fmt: skip
def test_mistakes_are_explained(line: str) -> None:
    meaning = understand(line, NAMES)
    assert isinstance(meaning, Mistake)
    assert meaning.message


@given(st.text(), st.lists(st.text()))
def test_any_line_has_a_meaning(line: str, names: list[str]) -> None:
    understand(line, names)
    understand("/" + line, names)
    complete(line, names)


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert understand("/send ~/a", []) == Offer((Path("/somewhere/a"),))


def test_completion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "film one.mkv").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / ".hidden").touch()
    assert complete("/s", NAMES) == ["/send "]
    assert complete("hello", NAMES) == []
    assert complete("/msg a", NAMES) == ["anna ", "anna maria "]
    assert complete("/send --to b", NAMES) == ["bob "]
    assert complete("/send --to", NAMES) == ["--to ", "--to-all "]
    assert complete("/send f", NAMES) == ["'film one.mkv' ", "folder/"]
    assert complete("/send ", NAMES) == ["'film one.mkv' ", "folder/"]
    assert complete("/send .h", NAMES) == [".hidden "]
    assert complete("/accept 1 --into f", NAMES)[1] == "folder/"
    assert complete("/send nowhere/", NAMES) == []
    assert complete("/who x", NAMES) == []


def test_the_help_names_every_command() -> None:
    text = "\n".join(HELP)
    assert all(command in text for command in COMMANDS if command != "/help")
