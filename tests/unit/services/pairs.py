"""A sender and a receiver over two real sessions that are joined by memory links."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mayfly.config import FilesConfig
from mayfly.files.events import TransferEvent
from mayfly.files.records import Offer, Reason
from mayfly.mux.events import Priority
from mayfly.runtime.stream import Stream
from mayfly.services.driving import Driver, Result
from mayfly.services.reading import Blocks
from mayfly.services.receiving import Into, Receiving
from mayfly.services.sending import Sending
from mayfly.services.source import Source
from mayfly.transport.memory import MemoryPath
from mayfly.wire.header import Header, Service
from support.news import News
from support.sessions import End, joined, opened


@dataclass
class Side:
    """One end of a transfer, and what was heard of it."""

    driver: Driver = field(init=False)
    heard: list[TransferEvent] = field(default_factory=list)
    result: asyncio.Task[Result] = field(init=False)
    _news: News = field(default_factory=News)

    def hear(self, event: TransferEvent) -> None:
        """The driver's `tell`."""
        self.heard.append(event)
        self._news.ring()

    async def until(self, kind: type[TransferEvent], count: int = 1) -> None:
        """Wait until so many events of this kind were heard."""
        await self._news.until(lambda: sum(isinstance(event, kind) for event in self.heard) >= count)


@dataclass
class Pair:
    """Both ends of one transfer."""

    sending: Side
    receiving: Side
    client: End
    relay: End

    async def results(self) -> tuple[Result, Result]:
        """Of the sender and of the receiver."""
        return await self.sending.result, await self.receiving.result

    def cut(self) -> None:
        """Lose the link."""
        self.client.link.cut()


async def streams(client: End, relay: End) -> tuple[Stream, Stream]:
    """One FILE stream, the sender's end and the receiver's, behind its header."""
    return await opened(client, relay, Header(Service.FILE), Priority.BULK)


@asynccontextmanager
async def transferring(
    source: Source,
    into: Into | Path | Reason,
    *,
    ask: Callable[[Offer], Awaitable[Into | Reason]] | None = None,
    blocks: Blocks | None = None,
    config: FilesConfig | None = None,
    path: MemoryPath | None = None,
) -> AsyncIterator[Pair]:
    """A transfer under way."""

    async def at_once(offer: Offer) -> Into | Reason:
        return Into(into) if isinstance(into, Path) else into

    async with joined(path=path) as (client, relay):
        ours, theirs = await streams(client, relay)
        sending, receiving = Side(), Side()
        sending.driver = Sending(ours, source, sending.hear, blocks=blocks, config=config)
        receiving.driver = Receiving(theirs, ask or at_once, receiving.hear, config=config)
        async with asyncio.TaskGroup() as group:
            for side in (sending, receiving):
                side.result = group.create_task(side.driver.run())
            yield Pair(sending, receiving, client, relay)
