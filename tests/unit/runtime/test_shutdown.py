"""Signals and the two flags."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator

import pytest

from mayfly.runtime.shutdown import SIGNALS, Shutdown

LAST = 5.0


@pytest.fixture(autouse=True)
def signals_are_given_back() -> Iterator[None]:
    """As who runs the loop does."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
async def shutdown() -> AsyncIterator[Shutdown]:
    shutdown = Shutdown()
    shutdown.install(asyncio.get_running_loop())
    yield shutdown
    shutdown.finish()


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


async def happens(event: asyncio.Event) -> None:
    await asyncio.wait_for(event.wait(), LAST)


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_the_first_signal_drains_and_does_not_stop(shutdown: Shutdown, first: signal.Signals) -> None:
    send(first)
    await happens(shutdown.drain)
    assert not shutdown.stop.is_set()


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_stops(shutdown: Shutdown, first: signal.Signals, second: signal.Signals) -> None:
    send(first)
    await happens(shutdown.drain)
    send(second)
    await happens(shutdown.stop)


async def test_a_hangup_never_stops(shutdown: Shutdown) -> None:
    handled = asyncio.Event()
    send(signal.SIGINT)
    await happens(shutdown.drain)
    send(signal.SIGHUP)
    send(signal.SIGHUP)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, handled.set)
    send(signal.SIGUSR1)
    await happens(handled)
    asyncio.get_running_loop().remove_signal_handler(signal.SIGUSR1)
    assert not shutdown.stop.is_set()


async def test_a_drain_that_the_program_began_makes_the_first_ctrl_c_stop(shutdown: Shutdown) -> None:
    shutdown.request_drain()
    assert not shutdown.stop.is_set()
    send(signal.SIGINT)
    await happens(shutdown.stop)


async def test_a_stop_implies_a_drain() -> None:
    shutdown = Shutdown()
    shutdown.request_stop()
    assert shutdown.drain.is_set()
    assert shutdown.stop.is_set()


async def test_after_the_second_ctrl_c_one_more_ends_the_program(shutdown: Shutdown) -> None:
    send(signal.SIGINT)
    await happens(shutdown.drain)
    send(signal.SIGINT)
    await happens(shutdown.stop)
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)
    send(signal.SIGHUP)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_program_that_has_finished_lets_one_signal_pass(
    shutdown: Shutdown, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    shutdown.finish()
    shutdown.finish()
    send(signal.SIGHUP)
    shutdown.drain.clear()
    send(number)
    assert (shutdown.stop.is_set(), left) == (False, [])
    send(number)
    assert left == [130]


async def test_finishing_holds_no_signal_back() -> None:
    shutdown = Shutdown()
    shutdown.finish()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    shutdown.install(asyncio.get_running_loop())
    shutdown.finish()
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & set(SIGNALS)


def test_finishing_after_the_loop_has_closed_does_nothing() -> None:
    shutdown = Shutdown()

    async def install() -> None:
        shutdown.install(asyncio.get_running_loop())

    asyncio.run(install())
    shutdown.finish()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
