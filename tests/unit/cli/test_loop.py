"""Which event loop runs."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator

import pytest

from mayfly.errors import UsageError
from mayfly.runtime.shutdown import SIGNALS, Shutdown
from mayfly_cli import loop


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Whoever runs the tests may have Ctrl-C ignored, as a script does for what it starts with `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


async def kind() -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


def test_asyncio_by_choice() -> None:
    assert loop.run(kind(), "asyncio") == "asyncio"


@pytest.mark.parametrize("choice", ["auto", "uvloop"])
def test_uvloop_where_it_is_installed(choice: str) -> None:
    pytest.importorskip("uvloop")
    assert loop.run(kind(), choice) == "uvloop"


def test_signals_are_as_before() -> None:
    async def program() -> None:
        shutdown = Shutdown()
        shutdown.install(asyncio.get_running_loop())
        shutdown.finish()

    before = {number: signal.getsignal(number) for number in SIGNALS}
    loop.run(program(), "auto")
    assert {number: signal.getsignal(number) for number in SIGNALS} == before


@pytest.mark.parametrize("choice", ["asyncio", "uvloop"])
def test_ctrl_c_cancels_what_counts_no_signals(choice: str) -> None:
    cancelled: list[bool] = []

    async def program() -> None:
        signal.raise_signal(signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    with pytest.raises(KeyboardInterrupt):
        loop.run(program(), choice)
    assert cancelled == [True]


@pytest.mark.parametrize("choice", ["asyncio", "uvloop"])
def test_ctrl_c_while_the_loop_is_made_leaves_nothing_behind(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> asyncio.AbstractEventLoop:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError

    monkeypatch.setattr(loop, "factory", lambda _: interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.run(kind(), choice)  # a coroutine that was never awaited would be a warning, and so an error


def test_auto_goes_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop.run(kind(), "auto") == "asyncio"
    with pytest.raises(UsageError, match="uvloop is not installed"):
        loop.run(kind(), "uvloop")
