"""Which event loop runs a program."""

from __future__ import annotations

import asyncio
import inspect
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mayfly.errors import UsageError
from mayfly.runtime.shutdown import SIGNALS
from mayfly_cli import interrupts

T = TypeVar("T")

Factory = Callable[[], asyncio.AbstractEventLoop]


def run(main: Coroutine[Any, Any, T], choice: str) -> T:
    """Run a program on a fresh loop of that choice: `auto`, `asyncio` or `uvloop`. Raises UsageError.

    A program that counts no signals is cancelled by Ctrl-C, which comes out as KeyboardInterrupt. So does one more
    while it then cleans up, which breaks that off.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        make = factory(choice)
        if before[signal.SIGINT] is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # the runner takes it from nobody else
        with asyncio.Runner(loop_factory=make) as runner:
            return runner.run(main)
    finally:
        interrupts.ending()
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        _let_go(main)


def _let_go(main: Coroutine[Any, Any, Any]) -> None:
    """Nothing is to be said of a program that was never begun, nor of one whose cleaning up was broken off."""
    state = inspect.getcoroutinestate(main)
    if state == inspect.CORO_CREATED:
        main.close()
    elif state == inspect.CORO_SUSPENDED:
        # Python drops what is left of it and complains of all that would still wait, for which there is no loop.
        sys.unraisablehook = lambda _: None


def factory(choice: str) -> Factory:
    """What makes the loop. `auto` takes uvloop, which doubles the throughput, where it is installed."""
    if choice == "asyncio":
        return asyncio.new_event_loop
    try:
        import uvloop  # noqa: PLC0415 - `mayfly --help` must not pay for it
    except ImportError:
        if choice == "uvloop":
            raise UsageError(
                "--loop: uvloop is not installed.", hint="Install uvloop, or leave the option out."
            ) from None
        return asyncio.new_event_loop
    return uvloop.new_event_loop
