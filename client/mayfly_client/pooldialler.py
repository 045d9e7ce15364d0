"""A Dialler over several relays: each stream goes to the one that the pool chooses, or to another if that is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from mayfly.errors import LinkLostError, StreamResetError
from mayfly.mux.events import Priority
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.wire.header import Header
from mayfly_client.dialler import WAIT, Datagrams, SessionDialler
from mayfly_client.heard import HeardLink
from mayfly_client.pool import Pool, Step

T = TypeVar("T")

_ROUND_TRIPS = 4


@dataclass(frozen=True, slots=True)
class Relayed:
    """One relay's session, its dialler, and its link."""

    session: Session
    dialler: SessionDialler
    link: HeardLink


class PoolDialler:
    """Fulfils `dialler.Dialler`. `changed` is set when a relay was found silent."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.changed = asyncio.Event()
        self._relays: dict[int, Relayed] = {}
        self._waiting: set[asyncio.Future[None]] = set()
        self._loop = asyncio.get_running_loop()

    def add(self, number: int, relay: Relayed) -> None:
        """A relay of the pool has come."""
        self._relays[number] = relay
        self.wake()

    def remove(self, number: int) -> None:
        """Its session has ended."""
        self._relays.pop(number, None)

    def wake(self) -> None:
        """Let those look again who wait for a relay: one has come, or one speaks again."""
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def open_stream(self, header: Header, priority: Priority = Priority.INTERACTIVE) -> Stream:
        """Open a stream on one of the relays. Raises LinkLostError where there is none in time."""
        return await self._on_one(lambda relay: relay.session.open_stream(header, priority), Stream.reset)

    async def open_datagrams(self, receive: Callable[[bytes], None]) -> Datagrams:
        """Open an association, which stays with its relay. Raises as open_stream does."""
        return await self._on_one(lambda relay: relay.dialler.open_datagrams(receive), lambda opened: opened.close())

    async def _on_one(self, open_on: Callable[[Relayed], Awaitable[T]], undo: Callable[[T], None]) -> T:
        deadline = self._loop.time() + self.pool.config.no_relay
        silent: set[int] = set()
        while True:
            number = self.pool.choose(self._loop.time(), silent)
            if number is None:
                await self._news(deadline)
                silent.clear()
                continue
            relay = self._relays[number]
            try:
                opened = await open_on(relay)
            except (LinkLostError, StreamResetError):  # it is leaving, or gone: whoever watches it hears so, too
                silent.add(number)
                continue
            if await self._speaks(relay):
                return opened
            undo(opened)
            silent.add(number)
            self.pool.step(number, Step.SILENT)
            self.changed.set()

    async def _speaks(self, relay: Relayed) -> bool:
        """Whether a relay that has just been asked for something says anything, if only that it is there."""
        relay.session.prompt()
        quiet = self.pool.config.quiet
        return await relay.link.hears(max(quiet, _ROUND_TRIPS * (relay.session.round_trip or quiet)))

    async def _news(self, deadline: float) -> None:
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(waiter)
        try:
            async with asyncio.timeout_at(deadline):
                await waiter
        except TimeoutError:
            raise LinkLostError("there is no relay", hint=WAIT) from None
        finally:
            self._waiting.discard(waiter)
