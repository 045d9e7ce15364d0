"""A test that hangs fails in its time, whatever it waits for, on both event loops; and the tests behind it run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]

LOOPS = """
import asyncio
import uvloop

def pytest_asyncio_loop_factories():
    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}
"""

HANGING = """
import asyncio
import threading
import pytest

async def test_an_event():
    await asyncio.Event().wait()

async def test_beside_a_callback_that_is_called_for_ever():
    def again():
        asyncio.get_running_loop().call_soon(again)
    again()
    await asyncio.Event().wait()

async def test_beside_a_busy_task():
    async def busy():
        while True:
            await asyncio.sleep(0)
    async with asyncio.TaskGroup() as group:
        group.create_task(busy())

async def test_not_to_be_cancelled():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def test_a_thread():
    await asyncio.to_thread(threading.Event().wait, 2)

@pytest.fixture
async def hanging():
    yield
    await asyncio.Event().wait()

async def test_fails_and_leaves_what_hangs(hanging):
    assert False

@pytest.mark.timeout(60)
async def test_behind_them_all():
    pass
"""

SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
addopts = -rA -p no:cacheprovider -p no:schemathesis -p support.hung
"""


def test_what_hangs_fails_by_itself(tmp_path: Path) -> None:
    for name, text in {"conftest.py": LOOPS, "test_hanging.py": HANGING, "pytest.ini": SETTINGS}.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "--timeout", "0.3", str(tmp_path)]

    run = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=TESTS, check=False)

    outcomes = re.findall(r"^(PASSED|FAILED|ERROR) .*::(test_\w+)\[(\w+)\]", run.stdout, re.MULTILINE)
    failed = {f"{name} on {loop}" for outcome, name, loop in outcomes if outcome != "PASSED"}
    passed = {f"{name} on {loop}" for outcome, name, loop in outcomes if outcome == "PASSED"}
    names = [name for name in re.findall(r"async def (test_\w+)", HANGING) if name != "test_behind_them_all"]
    assert failed == {f"{name} on {loop}" for name in names for loop in ("asyncio", "uvloop")}, run.stdout + run.stderr
    assert passed == {"test_behind_them_all on asyncio", "test_behind_them_all on uvloop"}
    assert "test_an_event:7 > Event.wait:" in run.stdout  # where the task waits
