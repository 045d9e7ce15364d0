"""The chat's screen, with keys from a pipe."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from mayfly.runtime.tasks import first_of
from mayfly_cli.screen import Screen, history_path

PASTE = "\x1b[200~{}\x1b[201~"


class Typing:
    """A screen, what was typed, and what it showed."""

    def __init__(self, source: PipeInput, history: Path | None) -> None:
        self.source = source
        self.shown = io.StringIO()
        self.lines: list[str] = []
        self.pending: list[str] = []
        self.screen = Screen(
            complete=lambda text: ["/send "] if text == "/s" else [],
            pending=lambda: self.pending,
            history=history,
            terminal=(source, Vt100_Output(self.shown, lambda: Size(24, 80), term="xterm")),
        )

    async def typed(self, line: str) -> bool:
        self.lines.append(line)
        return line != "bye"

    async def run(self, keys: str) -> list[str]:
        self.source.send_text(keys)
        await self.screen.run(self.typed)
        return self.lines


@contextmanager
def typing(history: Path | None = None) -> Iterator[Typing]:
    with create_pipe_input() as source:
        yield Typing(source, history)


async def test_lines_until_the_person_says_bye() -> None:
    with typing() as person:
        assert await person.run("hello\rbye\rnever\r") == ["hello", "bye"]


@pytest.mark.parametrize("key", ["\x04", "\x03"])
async def test_ctrl_d_and_ctrl_c_leave(key: str) -> None:
    with typing() as person:
        assert await person.run(f"one\r{key}") == ["one"]
    with typing() as person:
        person.source.send_text(key)
        assert await person.screen.run(person.typed) is (key == "\x03")


async def test_ctrl_c_first_clears_what_is_typed() -> None:
    with typing() as person:
        assert await person.run("wrong\x03right\r\x03") == ["right"]


async def test_a_paste_of_many_lines_is_one_message() -> None:
    with typing() as person:
        assert await person.run(PASTE.format("one\r\ntwo\nthree") + "\r\x04") == ["one\ntwo\nthree"]


async def test_alt_enter_begins_a_line() -> None:
    with typing() as person:
        assert await person.run("one\x1b\rtwo\r\x04") == ["one\ntwo"]


async def test_a_terminal_whose_enter_is_a_line_feed() -> None:
    with typing() as person:
        assert await person.run("one\ntwo\x1b\nthree\n\x04") == ["one", "two\nthree"]


async def test_tab_completes() -> None:
    with typing() as person:
        buffer = person.screen._session.default_buffer

        def go_on(_: object) -> None:
            if buffer.text == "/send ":
                person.source.send_text("film\r\x04")

        buffer.on_text_changed += go_on
        assert await person.run("/s\t") == ["/send film"]


async def test_the_arrow_keys_bring_back_what_was_said_in_an_earlier_run(tmp_path: Path) -> None:
    path = tmp_path / "state" / "chat-history"
    with typing(path) as person:
        await person.run("first\r\x04")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with typing(path) as person:
        assert await person.run("\x1b[A\r\x04") == ["first"]


async def test_no_state_directory_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with typing(tmp_path / "file" / "history") as person:
        assert await person.run("a\r\x04") == ["a"]


async def test_what_is_pending_is_shown() -> None:
    with typing() as person:
        person.pending = ["… hello", "film.mkv 50 %"]
        await person.run("a\r\x04")
        shown = person.shown.getvalue()
    assert "… hello" in shown
    assert "film.mkv 50 %" in shown


async def test_it_can_be_ended_from_outside() -> None:
    with typing() as person:

        async def end() -> None:
            person.screen.refresh()

        await first_of(person.screen.run(person.typed), end())
        assert person.lines == []


def test_the_history_is_in_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert history_path() == Path("/somewhere/mayfly/chat-history")
