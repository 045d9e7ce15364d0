"""What ends a test that hangs, on every event loop, and says what it waited for.

pytest-timeout's own way is an exception out of the handler of SIGALRM. Both event loops keep most exceptions to
themselves: uvloop runs the handler in a callback of its own, logs what came out of it and waits on; asyncio does the
same if the signal comes while a callback runs, and lets it end a task that has nothing to do with the test. SystemExit
leaves both at once.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import traceback
import types
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from _pytest.outcomes import Failed

AGAIN = 5.0
"""Seconds after which what is stuck on its way out, too, is interrupted once more."""

FRAMES = 12
"""How many frames of a thread are shown, from where it is outwards: before a test's own come some 30 of pytest's."""


class Hung(Failed, SystemExit):
    """A test has not ended in its time. To event loops it is SystemExit, to pytest an ordinary failure."""


LIMIT = pytest.StashKey[float]()


def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool:
    """Called by pytest-timeout where it would set its own alarm."""
    item.stash[LIMIT] = settings.timeout
    return True


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    with _alarm(item):
        yield


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    with _alarm(item):
        yield


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """What a test leaves behind may hang as well."""
    with _alarm(item):
        yield


def pytest_enter_pdb() -> None:
    """A person looks at it."""
    _set_alarm(0)


@contextmanager
def _alarm(item: pytest.Item) -> Iterator[None]:
    seconds = item.stash.get(LIMIT, 0.0)

    def out_of_time(_number: int, frame: types.FrameType | None) -> None:
        raise Hung(f"Not ended in {seconds:g} seconds.\n{_threads(frame)}{_tasks()}", pytrace=False)

    before = signal.signal(signal.SIGALRM, out_of_time)
    _set_alarm(seconds)
    try:
        yield
    finally:
        _set_alarm(0)
        signal.signal(signal.SIGALRM, before)


def _set_alarm(seconds: float) -> None:
    """After so many seconds, and then again and again; 0 is never."""
    signal.setitimer(signal.ITIMER_REAL, seconds, min(seconds, AGAIN))


def _threads(interrupted: types.FrameType | None) -> str:
    """Where each thread is; this one was interrupted there."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = {**sys._current_frames(), threading.get_ident(): interrupted}
    stacks = {number: "".join(traceback.format_stack(frame, FRAMES)) for number, frame in frames.items()}
    return "".join(f"{names.get(number)}:\n{stack}" for number, stack in stacks.items())


def _tasks() -> str:
    """Where each task of the running event loop waits, if one runs."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return ""
    return "".join(f"{task.get_name()}: {' > '.join(_places(task.get_coro()))}\n" for task in tasks)


def _places(awaited: object) -> Iterator[str]:
    """The lines at which a coroutine, what it awaits, and so on, have stopped."""
    while isinstance(awaited, types.CoroutineType):
        frame = awaited.cr_frame
        if frame is not None:
            yield f"{frame.f_code.co_qualname}:{frame.f_lineno}"
        awaited = awaited.cr_await
