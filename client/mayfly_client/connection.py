"""One application at the local proxy: its handshake, its stream, and the way out.

::

    HANDSHAKE ──► OPENING ──► (the splice has the transport)
        │           │  └────► ASSOCIATED     UDP: the connection only keeps the association alive
        │           │              │
        └───────────┴──────────────┴──► LEAVING   the last words are on their way, then the connection closes

While the relay is asked we go on reading, up to a bound, since only a reader learns that the application has left.
An end of its half at that point counts as leaving: no SOCKS client ends its half before it has read the reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import cast

from mayfly.config import SocksConfig
from mayfly.errors import MayflyError, Reply
from mayfly.runtime.splice import splice_transport
from mayfly.runtime.stream import Stream
from mayfly.runtime.tasks import TaskSet
from mayfly.socks.events import Close, Command, Request, Send
from mayfly.socks.server import ProxyServer
from mayfly.wire.header import Answer, Header, Service
from mayfly_client.dialler import Dialler
from mayfly_client.udp import UdpAssociation

LINGER = 2.0
"""Seconds for an application to read the last words and close; RFC 1928 §6 allows ten."""


class Phase(Enum):
    """Where a connection stands."""

    HANDSHAKE = "handshake"
    OPENING = "opening"
    ASSOCIATED = "associated"
    SPLICED = "spliced"
    LEAVING = "leaving"


class ProxyConnection(asyncio.Protocol):
    """The protocol of one accepted connection, until the splice takes its transport over.

    `gone` is called when nothing of the connection is left.
    """

    def __init__(
        self,
        choose: Callable[[Request], Dialler],
        tasks: TaskSet,
        gone: Callable[[ProxyConnection], None],
        *,
        config: SocksConfig,
        auth: tuple[str, str] | None,
    ) -> None:
        self.phase = Phase.HANDSHAKE
        self._choose = choose
        self._dialler: Dialler
        self._tasks = tasks
        self._gone = gone
        self._config = config
        self._server = ProxyServer(config, auth)
        self._transport: asyncio.Transport
        self._connected = False
        self._aborted = False
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._lost = False

    def abort(self) -> None:
        """End at once, whatever is under way."""
        self._aborted = True
        if self._task is not None:
            self._task.cancel()
        if self._connected:
            self._transport.abort()

    # From the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the handshake, but not for ever."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)  # or uvloop keeps what is written until the end of its turn
        self._connected = True
        if self._aborted:  # between being accepted and being connected
            self._transport.abort()
            return
        self._set_timer(self._config.handshake_timeout)

    def data_received(self, data: bytes) -> None:
        """Feed the handshake; what comes after it waits for the splice."""
        match self.phase:
            case Phase.HANDSHAKE:
                self._handshake(data)
            case Phase.OPENING:
                self._server.receive(data)
                self._bound_early_data()
            case _:
                pass  # An association's connection carries nothing, and one that leaves has nothing more to say.

    def connection_lost(self, exc: Exception | None) -> None:
        """The application is gone, or we closed: so is what was being done for it."""
        self._lost = True
        self._stop_timer()
        if self._task is None:
            self._gone(self)
        else:
            self._task.cancel()

    # The handshake

    def _handshake(self, data: bytes) -> None:
        for event in self._server.receive(data):
            match event:
                case Send(words):
                    self._transport.write(words)
                case Close():
                    self._leave()
                case Request():
                    self._stop_timer()
                    self.phase = Phase.OPENING
                    self._bound_early_data()
                    self._task = self._tasks.spawn(self._serve(event))
                    self._task.add_done_callback(self._served)

    def _bound_early_data(self) -> None:
        if len(self._server.leftover) > self._config.max_handshake:
            self._transport.pause_reading()

    # The request

    async def _serve(self, request: Request) -> None:
        self._dialler = self._choose(request)
        match request.command:
            case Command.UDP_ASSOCIATE:
                await self._associate()
            case Command.CONNECT:
                await self._connect(Header(Service.TCP, request.destination))
            case _:
                await self._resolve(Header(Service.RESOLVE, request.destination))

    def _served(self, task: asyncio.Task[None]) -> None:
        # A callback, because a task that is cancelled before its first step runs no `finally`.
        self._task = None
        if task.cancelled() or task.exception() is not None:
            self._transport.abort()
        if self._lost or self.phase is Phase.SPLICED:
            self._gone(self)

    async def _connect(self, header: Header) -> None:
        stream, answer = await self._ask(header)
        if stream is None or answer.reply is not Reply.SUCCEEDED:
            self._refuse(answer)
            return
        self.phase = Phase.SPLICED
        transport = self._transport
        transport.write(self._server.reply(answer.reply, answer.bound))
        try:
            await splice_transport(stream, transport, self._server.leftover)
        finally:
            transport.close()

    async def _resolve(self, header: Header) -> None:
        stream, answer = await self._ask(header)
        if stream is not None:
            stream.reset()
        self._refuse(answer)

    async def _ask(self, header: Header) -> tuple[Stream | None, Answer]:
        """The relay's answer, with the stream where it is a yes. A relay that cannot be asked is a general failure."""
        stream: Stream | None = None
        granted = False
        try:
            stream = await self._dialler.open_stream(header)
            stream.flush()
            answer = await stream.read_answer()
            granted = answer.reply is Reply.SUCCEEDED
        except MayflyError:
            answer = Answer(Reply.GENERAL_FAILURE)
        finally:
            if stream is not None and not granted:
                stream.reset()
        return stream if granted else None, answer

    async def _associate(self) -> None:
        association = UdpAssociation(self._transport)
        answer = await association.open(self._dialler)
        if answer.reply is not Reply.SUCCEEDED:
            self._refuse(answer)
            return
        try:
            self.phase = Phase.ASSOCIATED
            self._transport.write(self._server.reply(answer.reply, answer.bound))
            self._transport.resume_reading()
            await association.ended()
        finally:
            association.close()
        self._leave()

    def _refuse(self, answer: Answer) -> None:
        """Tell an answer that ends the connection: a refusal, or the result of a look-up."""
        self._transport.write(self._server.reply(answer.reply, answer.bound))
        self._leave()

    # The end

    def _leave(self) -> None:
        """Say no more, and close once the application has read what was said.

        To close with bytes unread would send a reset, which can destroy the reply before the application reads it.
        """
        self.phase = Phase.LEAVING
        transport = self._transport
        if transport.is_closing():
            return
        transport.write_eof()
        transport.resume_reading()
        self._set_timer(LINGER)

    def _set_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
