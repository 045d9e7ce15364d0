"""Whenever a key is pressed at a real terminal, it means the same."""

from __future__ import annotations

import io
import os
import pty
import termios
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from prompt_toolkit.application.current import get_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.output.vt100 import Vt100_Output

from mayfly_cli.rawterminal import RawTerminal, uncooked
from mayfly_cli.screen import Screen


class Shown(io.StringIO):
    """What the screen shows; calls back when it shows a text that is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: dict[str, Callable[[], object]] = {}

    def write(self, text: str) -> int:
        for each in [each for each in self.waited if each in text]:
            self.waited.pop(each)()
        return super().write(text)


class Desk:
    """A person at a pseudo-terminal."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.shown = Shown()
        self.output = Vt100_Output(self.shown, lambda: Size(24, 80), term="xterm")

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    async def chat(self, typed: Callable[[str], None]) -> list[str]:
        """All lines that the person sends, until one that is `bye`."""
        lines: list[str] = []

        async def take(line: str) -> bool:
            lines.append(line)
            typed(line)
            return line != "bye"

        with Path(os.ttyname(self.slave)).open(encoding="utf-8") as stream:
            terminal = RawTerminal(stream), self.output
            await Screen(complete=lambda _: [], pending=list, terminal=terminal).run(take)
        return lines


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    desk = Desk()
    monkeypatch.setattr(get_app_session(), "_output", desk.output)  # where printed lines go
    yield desk
    os.close(desk.master)
    os.close(desk.slave)


async def test_keys_are_keys_while_a_line_is_printed(desk: Desk) -> None:
    modes: list[int] = []

    def press() -> None:
        modes.append(termios.tcgetattr(desk.slave)[3])
        desk.press("in that instant\rbye\r")

    def typed(line: str) -> None:
        if line == "hello":
            desk.shown.waited["anna: hi"] = press
            desk.shown.waited[">"] = lambda: print("anna: hi")  # as soon as the next question stands

    desk.press("hello\r")
    assert await desk.chat(typed) == ["hello", "in that instant", "bye"]
    assert not modes[0] & (termios.ECHO | termios.ISIG)  # no Ctrl-C ends the chat where it should empty the line


async def test_enter_sends_while_a_line_is_being_sent(desk: Desk) -> None:
    def typed(line: str) -> None:
        if line == "hello":
            desk.press("at once\rbye\r")

    desk.press("hello\r")
    assert await desk.chat(typed) == ["hello", "at once", "bye"]


async def test_the_kernel_echoes_nothing_meanwhile_and_all_is_as_before_in_the_end(desk: Desk) -> None:
    before = termios.tcgetattr(desk.slave)
    modes: list[int] = []
    desk.press("bye\r")
    await desk.chat(lambda _: modes.append(termios.tcgetattr(desk.slave)[3]))
    assert not modes[0] & termios.ECHO
    assert modes[0] & termios.ISIG  # Ctrl-C ends what takes too long
    assert termios.tcgetattr(desk.slave) == before


def test_no_terminal_is_no_obstacle() -> None:
    read, write = os.pipe()
    with uncooked(read):
        os.close(write)
    os.close(read)


def test_a_terminal_that_goes_away_is_no_obstacle() -> None:
    master, slave = pty.openpty()
    with uncooked(slave):
        os.close(master)
    os.close(slave)
