"""Two sessions joined by memory links, for tests of what stands above them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from mayfly.config import MuxConfig
from mayfly.mux.events import Priority
from mayfly.runtime.introduction import LocalHello
from mayfly.runtime.rate import Rates
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.transport.base import Link
from mayfly.transport.memory import MemoryLink, MemoryPath, memory_links
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Role

CHAT = Header(Service.CHAT)


@dataclass
class End:
    """One end: its session, its link, and what came to it."""

    session: Session
    link: MemoryLink
    streams: list[Stream] = field(default_factory=list)
    datagrams: list[tuple[int, bytes]] = field(default_factory=list)


def session_on(
    link: Link,
    role: Role,
    *,
    on_stream: Callable[[Stream], None] = Stream.reset,
    on_datagram: Callable[[int, bytes], None] = lambda _stream_id, _data: None,
    policy: str = "",
    lifetime: float | None = None,
    config: MuxConfig | None = None,
    rates: Rates | None = None,
) -> Session:
    """A session that has to be started. By default it wants none of the peer's streams."""
    local = LocalHello(role=role, policy=policy, lifetime=lifetime)
    return Session(link, local, config=config or MuxConfig(), on_stream=on_stream, on_datagram=on_datagram, rates=rates)


def _end(
    link: MemoryLink,
    role: Role,
    config: MuxConfig | None,
    on_stream: Callable[[Stream], None] | None,
    rates: Rates | None,
) -> End:
    streams: list[Stream] = []
    datagrams: list[tuple[int, bytes]] = []
    session = session_on(
        link,
        role,
        on_stream=on_stream or streams.append,
        on_datagram=lambda stream_id, data: datagrams.append((stream_id, data)),
        policy="policy words",
        lifetime=60,
        config=config,
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
    client = _end(first, Role.CLIENT, config, on_client_stream, None)
    relay = _end(second, Role.RELAY, config, on_relay_stream, relay_rates)
    await asyncio.gather(client.session.start(), relay.session.start())
    try:
        yield client, relay
    finally:
        await client.session.close()
        await relay.session.close()


async def arrived(end: End) -> Stream:
    """The first stream of the peer's that no test has had yet; its header is not read."""
    while not end.streams:
        await asyncio.sleep(0)
    return end.streams.pop(0)


async def opened(
    client: End, relay: End, header: Header = CHAT, priority: Priority = Priority.INTERACTIVE
) -> tuple[Stream, Stream]:
    """A stream's two ends, the client's first; its header is read."""
    ours = await client.session.open_stream(header, priority)
    theirs = await arrived(relay)
    await theirs.read_header()
    return ours, theirs


async def read_all(stream: Stream) -> bytes:
    """What still comes on a stream, to its end."""
    parts: list[bytes] = []
    while data := await stream.read():
        parts.append(data)
    return b"".join(parts)
