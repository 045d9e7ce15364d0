"""Both sides of a meeting on a broker and a network in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from mayfly.rendezvous.messages import About
from mayfly.runtime.broker.answering import Answerer, Coming
from mayfly.runtime.broker.brokers import Brokers
from mayfly.runtime.broker.friendhost import FriendHost
from mayfly.runtime.broker.guest import Guest
from mayfly.runtime.broker.poolhost import PoolHost
from mayfly.runtime.events import Posted
from mayfly.runtime.meeting import Met
from mayfly.runtime.tasks import TaskSet
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from support.fake_broker import HASTY, FakeBroker, FakeConnections, broker_options
from support.programs_in_memory import Script

ABOUT = About(upstream="direct", nat="cone", serves=("web",), remaining=3600.0)


def patch(monkeypatch: pytest.MonkeyPatch, *brokers: FakeBroker) -> None:
    """Put these in the place of real brokers, and words that cost nothing in the place of the real ones."""
    monkeypatch.setattr("mayfly.runtime.broker.brokers.connect", FakeConnections(*brokers))
    for module in ("guest", "answering"):
        monkeypatch.setattr(
            f"mayfly.runtime.broker.{module}.verification_words", lambda offer, answer: (offer.text, answer.text)
        )


@dataclass
class Place:
    """A broker, both sides' means, and what the relay says."""

    broker: FakeBroker
    brokers: Brokers
    network: MemoryNetwork
    guest: Guest
    script: Script
    tasks: TaskSet
    answerer: Answerer
    met: list[Met] = field(default_factory=list)

    def friend_host(self) -> FriendHost:
        return FriendHost(self.brokers, self.answerer, self.script, lambda: 3600.0)

    def pool_host(self, seats: int = 4, about: Callable[[float], About] = lambda _load: ABOUT) -> PoolHost:
        return PoolHost(self.brokers, self.answerer, self.script, seats, about)

    async def posted(self, seats: int = 4) -> PoolHost:
        """One that waits for a client, and whose posting is at the broker."""
        host = self.pool_host(seats)
        self.invite(host)
        await self.script.event(Posted)
        return host

    def welcome(self, host: FriendHost | PoolHost) -> asyncio.Task[None]:
        """Let one client in."""

        async def work() -> None:
            self.met.append(await (await host.invite()).connect())

        return self.tasks.spawn(work())

    def invite(self, host: FriendHost | PoolHost) -> asyncio.Task[Coming]:
        """Wait for one client."""
        return self.tasks.spawn(host.invite())


@asynccontextmanager
async def meeting_place(monkeypatch: pytest.MonkeyPatch, *more: FakeBroker) -> AsyncIterator[Place]:
    """A place that is empty and clean at its end."""
    broker = FakeBroker()
    patch(monkeypatch, broker, *more)
    network, tasks = MemoryNetwork(), TaskSet()
    engine, settings = MemoryEngine(network), LinkSettings()
    async with Brokers(broker_options()) as brokers:
        answerer = Answerer(engine, settings, HASTY)
        try:
            yield Place(broker, brokers, network, Guest(brokers, engine, settings, tasks), Script(), tasks, answerer)
        finally:
            await tasks.aclose()
