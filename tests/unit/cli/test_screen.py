"""The chat's screen, with keys from a pipe."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from mayfly.runtime.tasks import first_of
from mayfly_cli.screen import Screen

PASTE = "\x1b[200~{}\x1b[201~"


class Typing:
    """A screen, what was typed, and what it showed."""

    def __init__(self, source: PipeInput) -> None:
        self.source = source
        self.shown = io.StringIO()
        self.lines: list[str] = []
        self.pending: list[str] = []
        self.screen = Screen(
            complete=lambda text: ["/send "] if text == "/s" else [],
            pending=lambda: self.pending,
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
def typing() -> Iterator[Typing]:
    with create_pipe_input() as source:
        yield Typing(source)


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


async def test_the_arrow_keys_bring_back_what_was_said() -> None:
    with typing() as person:
        await person.run("first\rsecond\r\x04")
        assert await person.run("\x1b[A\x1b[A\r\x04") == ["first", "second", "first"]


async def test_nothing_that_was_typed_is_written_to_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)
    with typing() as person:
        await person.run("a secret\r\x04")
    with typing() as person:
        assert await person.run("\x1b[Aother\r\x04") == ["other"]  # nor remembered by the next chat
    assert list(tmp_path.rglob("*")) == []


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
