"""Single keys from a terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import termios
from collections.abc import Iterator

import pytest

from mayfly_cli import keys
from mayfly_cli.keys import Keys, ours


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    monkeypatch.setattr(keys, "ours", lambda fd: fd == slave)
    yield master, slave
    os.close(master)
    os.close(slave)


async def test_each_key_is_handed_over_and_the_terminal_put_back(terminal: tuple[int, int]) -> None:
    master, slave = terminal
    before = termios.tcgetattr(slave)
    pressed: asyncio.Queue[str] = asyncio.Queue()
    reader = Keys(slave, pressed.put_nowait)
    with reader:
        assert reader._thread is not None
        flags = termios.tcgetattr(slave)[3]
        assert not flags & (termios.ICANON | termios.ECHO)
        assert flags & termios.ISIG  # Ctrl-C is still a signal
        os.write(master, b"p")
        assert await pressed.get() == "p"
        os.write(master, "rß".encode())
        assert [await pressed.get(), await pressed.get()] == ["r", "ß"]
    assert termios.tcgetattr(slave) == before
    assert os.get_blocking(slave)


async def test_what_is_no_terminal_of_ours_is_left_alone() -> None:
    read, write = os.pipe()
    with Keys(read, lambda _: None) as reader:
        assert not reader.active
    with Keys(-1, lambda _: None) as reader:
        assert not reader.active
    os.close(read)
    os.close(write)


def test_a_terminal_of_another_job_is_not_ours() -> None:
    master, slave = pty.openpty()
    assert not ours(slave)  # not our controlling terminal
    assert not ours(-1)
    os.close(master)
    os.close(slave)
