"""Which event loop runs a program."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mayfly.errors import UsageError
from mayfly.runtime.shutdown import SIGNALS
from mayfly_cli import interrupts

T = TypeVar("T")

Factory = Callable[[], asyncio.AbstractEventLoop]


def run(main: Coroutine[Any, Any, T], choice: str) -> T:
    """Run a program on a fresh loop of that choice: `auto`, `asyncio` or `uvloop`. Raises UsageError.

    A program that counts no signals is cancelled by Ctrl-C, which comes out as KeyboardInterrupt.
    """
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        make = factory(choice)
        if before[signal.SIGINT] is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)  # the runner takes it from nobody else
        with asyncio.Runner(loop_factory=make) as runner:
            return runner.run(main)
    finally:
        main.close()  # where it was never begun
        interrupts.ending()
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


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
