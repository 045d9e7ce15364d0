"""Whole programs in one process, meeting over the memory engine; their events are kept, their codes are carried."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

import mayfly.services.peer
import mayfly_client.app
import mayfly_client.brokered
import mayfly_relay.app
from mayfly.runtime.events import CodeReady, Connected, Event, Listening
from mayfly.runtime.shutdown import Shutdown
from mayfly.services.options import HubOptions
from mayfly.services.peer import PeerOptions, Work, run_peer
from mayfly.signaling.description import Kind
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from mayfly.wire.address import Destination
from mayfly_client.app import run_client
from mayfly_client.options import ClientOptions
from mayfly_relay.app import run_relay
from mayfly_relay.options import RelayOptions
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.rules import parse_rule
from support.news import News

E = TypeVar("E", bound=Event)

UNATTENDED = HubOptions(control=False)
"""Without a control socket, which stands where the user's own programs have theirs."""


class Script:
    """A Reporter that keeps events, and a CodeReader that is fed by the test."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.wanted: list[Kind] = []
        self._news = News()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()

    def report(self, event: Event) -> None:
        self.events.append(event)
        self._news.ring()

    async def read(self, wanted: Kind) -> str:
        self.wanted.append(wanted)
        line = await self._lines.get()
        if line is None:
            raise EOFError
        return line

    def paste(self, text: str) -> None:
        self._lines.put_nowait(text)

    def end_input(self) -> None:
        self._lines.put_nowait(None)

    async def event(self, kind: type[E], count: int = 1) -> E:
        """The `count`th event of a class, as soon as it is there."""
        return await self._news.nth(count, lambda: self.all(kind))

    async def code(self, count: int = 1) -> str:
        return (await self.event(CodeReady, count)).code

    def all(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


@dataclass
class Running:
    """A program under way."""

    script: Script
    shutdown: Shutdown
    task: asyncio.Task[None] = field(repr=False)


def client_options(*, code: str | None = None, **changes: object) -> ClientOptions:
    """A client's options for tests: a free port, and no grace to wait for."""
    standard = ClientOptions(link=LinkSettings(), code=code, socks=("127.0.0.1", 0), grace=5.0, hub=UNATTENDED)
    return replace(standard, **changes)  # type: ignore[arg-type]


def relay_options(*, code: str | None = None, **changes: object) -> RelayOptions:
    """A relay's options for tests: loopback destinations are allowed."""
    policy = ExitPolicy((parse_rule("127.0.0.1:*", allow=True),))
    return replace(RelayOptions(code=code, policy=policy, grace=5.0, hub=UNATTENDED), **changes)  # type: ignore[arg-type]


def peer_options(*, code: str | None = None, **changes: object) -> PeerOptions:
    """A peer's options for tests."""
    return replace(PeerOptions(link=LinkSettings(), code=code, grace=5.0, hub=UNATTENDED), **changes)  # type: ignore[arg-type]


class Stage:
    """Programs of one test on one memory network. All that still runs is ended when the test leaves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.network = MemoryNetwork()
        self._running: list[Running] = []
        # The real words take a tenth of a second by design, and are tested where they are made.
        monkeypatch.setattr(
            "mayfly.runtime.meeting.verification_words", lambda offer, answer: (offer.text, answer.text)
        )
        for program in (mayfly_client.app, mayfly_client.brokered, mayfly_relay.app, mayfly.services.peer):
            monkeypatch.setattr(program, "make_engine", lambda _name: MemoryEngine(self.network))

    async def __aenter__(self) -> Stage:
        return self

    async def __aexit__(self, *_error: object) -> None:
        for running in self._running:
            running.task.cancel()
        await asyncio.gather(*(running.task for running in self._running), return_exceptions=True)

    def relay(self, options: RelayOptions | None = None) -> Running:
        script, shutdown = Script(), Shutdown()
        return self._begin(script, shutdown, run_relay(options or relay_options(), script, script, shutdown))

    def client(self, options: ClientOptions | None = None) -> Running:
        script, shutdown = Script(), Shutdown()
        return self._begin(script, shutdown, run_client(options or client_options(), script, script, shutdown))

    def peer(self, work: Work, options: PeerOptions | None = None) -> Running:
        script, shutdown = Script(), Shutdown()
        return self._begin(script, shutdown, run_peer(options or peer_options(), script, script, shutdown, work))

    async def tunnel(self, relay: Running, **changes: object) -> Running:
        """A client that meets the relay; connected on both sides."""
        count = len(relay.script.all(Connected)) + 1
        client = self.client(client_options(code=await relay.script.code(count), **changes))
        relay.script.paste(await client.script.code())
        await client.script.event(Listening)
        await relay.script.event(Connected, count)
        return client

    def _begin(self, script: Script, shutdown: Shutdown, work: Coroutine[object, object, None]) -> Running:
        running = Running(script, shutdown, asyncio.get_running_loop().create_task(work))
        self._running.append(running)
        return running


def proxy_port(client: Running) -> int:
    """The port of a connected client's proxy."""
    (listening,) = client.script.all(Listening)
    return int(listening.address.rpartition(":")[2])


async def connected(client: Running, server: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a server, through a connected client's proxy."""
    reply, reader, writer = await socks_connect(proxy_port(client), *server)
    assert reply == 0
    return reader, writer


async def socks_connect(
    port: int, host: str, to: int, *, command: int = 1
) -> tuple[int, asyncio.StreamReader, asyncio.StreamWriter]:
    """A SOCKS5 request by name or IPv4 address: REP, and the connection behind it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    destination = Destination.parse_host(host, to)
    writer.write(b"\x05\x01\x00")
    assert await reader.readexactly(2) == b"\x05\x00"
    writer.write(bytes((5, command, 0)) + destination.encode())
    _version, reply, _reserved = await reader.readexactly(3)
    kind = (await reader.readexactly(1))[0]
    size = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
    await reader.readexactly(size + 2)
    return reply, reader, writer
