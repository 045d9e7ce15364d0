from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mayfly.errors import TorError
from mayfly.tor.control import TorControl
from mayfly.tor.process import TorDirectory, TorProcess, find_tor
from mayfly.tor.settings import TorSettings
from support.programs import ROOT

FAKE = str(ROOT / "tests/support/fake_tor.py")


def alone(base: Path, number: int) -> Path:
    """A folder as TorDirectory gives it."""
    return base / str(number)


def test_each_of_several_has_a_folder_and_the_next_one_takes_the_first_that_is_free(tmp_path: Path) -> None:
    first, second = TorDirectory(tmp_path), TorDirectory(tmp_path)
    assert (first.path, second.path) == (alone(tmp_path, 1), alone(tmp_path, 2))
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o700
    first.release()
    third = TorDirectory(tmp_path)
    assert third.path == alone(tmp_path, 1)
    second.release()
    third.release()
    third.release()


def test_a_temporary_one_goes() -> None:
    directory = TorDirectory(None)
    assert directory.path.is_dir()
    directory.release()
    assert not directory.path.exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TorError, match="Not a directory"):
        TorDirectory(tmp_path / "file")


def test_no_such_program() -> None:
    with pytest.raises(TorError, match="not found") as caught:
        find_tor("mayfly-has-no-such-program")
    assert "--tor-control" in caught.value.hint


Child = Callable[[], psutil.Process]


@pytest.fixture
def child() -> Child:
    """Finds the process that the test has started. Whoever runs the tests may have others."""
    before = {*psutil.Process().children()}

    def find() -> psutil.Process:
        (found,) = {*psutil.Process().children()} - before
        return found

    return find


async def test_it_starts_takes_commands_and_ends(tmp_path: Path, child: Child) -> None:
    process = await TorProcess.start(TorSettings(program=FAKE), tmp_path)
    address = await process.control_address(20)
    control = TorControl.connect(address)
    assert control.version() == "0.4.9.11"
    control.close()
    running = child()
    await process.end(5)
    assert not running.is_running()
    await process.wait()
    await process.end(5)


async def test_lines_of_torrc_stand_in_no_list_of_processes(tmp_path: Path, child: Child) -> None:
    process = await TorProcess.start(TorSettings(program=FAKE, torrc=("Bridge 192.0.2.1:1",)), tmp_path)
    await process.control_address(20)
    assert "192.0.2.1" not in " ".join(child().cmdline())
    await process.end(5)


async def test_a_session_of_its_own_keeps_ctrl_c_from_it(tmp_path: Path, child: Child) -> None:
    process = await TorProcess.start(TorSettings(program=FAKE), tmp_path)
    assert os.getsid(child().pid) == child().pid
    await process.end(5)


async def test_one_that_does_not_want_to_end_is_killed(tmp_path: Path, child: Child) -> None:
    process = await TorProcess.start(TorSettings(program=FAKE, torrc=("FakeIgnoreEnd 1",)), tmp_path)
    await process.control_address(20)
    running = child()
    await process.end(0.05)
    assert not running.is_running()


async def test_the_owners_end_is_its_end(tmp_path: Path) -> None:
    process = await TorProcess.start(TorSettings(program=FAKE), tmp_path)
    control = TorControl.connect(await process.control_address(20))
    control.take_ownership()
    control.close()
    await process.wait()


async def test_a_bad_line_is_named(tmp_path: Path) -> None:
    process = await TorProcess.start(TorSettings(program=FAKE, torrc=("BadOption 1",)), tmp_path)
    with pytest.raises(TorError, match="Unknown option 'BadOption'") as caught:
        await process.control_address(20)
    assert "--torrc-line" in caught.value.hint


async def test_one_that_takes_no_commands(tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec cat\n")
    silent.chmod(0o755)
    process = await TorProcess.start(TorSettings(program=str(silent)), tmp_path)
    with pytest.raises(TorError):
        await process.control_address(0.05)
    await process.end(5)
    await process.wait()


async def test_what_is_no_program(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no program")
    text.chmod(0o755)
    with pytest.raises(TorError, match="could not be started"):
        await TorProcess.start(TorSettings(program=str(text)), tmp_path)
