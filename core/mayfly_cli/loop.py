"""Which event loop runs a program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mayfly.errors import UsageError

T = TypeVar("T")

Factory = Callable[[], asyncio.AbstractEventLoop]


def run(main: Coroutine[Any, Any, T], choice: str) -> T:
    """Run a program on a fresh loop of that choice: `auto`, `asyncio` or `uvloop`. Raises UsageError."""
    try:
        make = factory(choice)
    except UsageError:
        main.close()
        raise
    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(main)


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
