"""A client's leaving: what it tells, and what it waits for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mayfly.runtime.events import Draining, Event
from mayfly_client import drain


class Listener:
    """A proxy with three applications, which are done when the test says so."""

    connections = 3

    def __init__(self, asked: list[object]) -> None:
        self._asked = asked
        self.done = asyncio.Event()

    def stop_accepting(self) -> None:
        self._asked.append("stop accepting")

    async def drain(self) -> None:
        await self.done.wait()


class Hub:
    """A hub with two transfers, likewise; and the session of one relay."""

    transfers = type("Transfers", (), {"count": 2})

    def __init__(self, asked: list[object]) -> None:
        self._asked = asked
        self.done = asyncio.Event()

    def report(self, event: Event) -> None:
        self._asked.append(event)

    def drain(self) -> None:
        self._asked.append("drain")

    def go_away(self, seconds: float, reason: str) -> None:
        self._asked.append((seconds, reason))

    async def wait_idle(self) -> None:
        await self.done.wait()

    async def settle(self) -> None:
        self._asked.append("settle")


class Standing:
    """Both, and what was asked of them."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.listener: Any = Listener(self.asked)
        self.hub: Any = Hub(self.asked)


@pytest.fixture
async def standing() -> Standing:
    return Standing()


@pytest.mark.parametrize(("sessions", "grace"), [(2, 30.0), (0, 0.0)])
async def test_everybody_is_told_once_and_nothing_new_begins(standing: Standing, sessions: int, grace: float) -> None:
    drain.begin(standing.listener, standing.hub, [standing.hub] * sessions, 30.0)
    told = [(30.0, "the client is leaving")] * sessions
    assert standing.asked == ["stop accepting", Draining(5, grace), "drain", *told]


async def test_applications_and_transfers_are_waited_for(standing: Standing) -> None:
    finishing = asyncio.get_running_loop().create_task(drain.finish(standing.listener, standing.hub, 600.0))
    standing.listener.done.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not finishing.done()
    standing.hub.done.set()
    await asyncio.wait_for(finishing, 5)
    assert standing.asked == ["settle"]


async def test_but_not_longer_than_the_grace_nor_behind_the_end_of_the_session(standing: Standing) -> None:
    ended = asyncio.Event()
    ended.set()
    await asyncio.wait_for(drain.finish(standing.listener, standing.hub, 0.0), 5)
    await asyncio.wait_for(drain.finish(standing.listener, standing.hub, 600.0, ended.wait()), 5)
    assert standing.asked == ["settle", "settle"]
