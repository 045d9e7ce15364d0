"""Two sessions joined by memory links, for tests of what stands above them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from mayfly.config import MuxConfig
from mayfly.runtime.introduction import LocalHello
from mayfly.runtime.rate import Rates
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.transport.memory import MemoryLink, MemoryPath, memory_links
from mayfly.wire.hello import Role


@dataclass
class End:
    """One end: its session, its link, and what came to it."""

    session: Session
    link: MemoryLink
    streams: list[Stream] = field(default_factory=list)
    datagrams: list[tuple[int, bytes]] = field(default_factory=list)


def _end(
    link: MemoryLink, role: Role, config: MuxConfig, on_stream: Callable[[Stream], None] | None, rates: Rates | None
) -> End:
    streams: list[Stream] = []
    datagrams: list[tuple[int, bytes]] = []
    session = Session(
        link,
        LocalHello(role=role, policy="policy words", lifetime=60),
        config=config,
        on_stream=on_stream or streams.append,
        on_datagram=lambda stream_id, data: datagrams.append((stream_id, data)),
        rates=rates,
    )
    return End(session, link, streams, datagrams)


@asynccontextmanager
async def joined(
    *,
    config: MuxConfig | None = None,
    path: MemoryPath | None = None,
    random: Random | None = None,
    on_relay_stream: Callable[[Stream], None] | None = None,
    on_client_stream: Callable[[Stream], None] | None = None,
    relay_rates: Rates | None = None,
) -> AsyncIterator[tuple[End, End]]:
    """A client's and a relay's end, HELLO exchanged; closed at the end."""
    first, second = memory_links(path, random=random)
    client = _end(first, Role.CLIENT, config or MuxConfig(), on_client_stream, None)
    relay = _end(second, Role.RELAY, config or MuxConfig(), on_relay_stream, relay_rates)
    await asyncio.gather(client.session.start(), relay.session.start())
    try:
        yield client, relay
    finally:
        await client.session.close()
        await relay.session.close()
