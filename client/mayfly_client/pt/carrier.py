"""What carries one bridge line: at most one session with a relay that takes new connections, made when tor asks.

::

    (nothing) ──tor connects──► meeting ──HELLO──► carrying ──GOAWAY, link lost──► (nothing)
        ▲                          │
        └──── no relay to be had ──┘

A meeting may take as long as people take to carry an answer, longer than tor waits for a connection. So it belongs to
the bridge line and not to the connection that began it: tor tries again, and finds the same meeting under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, LinkLostError, MayflyError, StreamCode, StreamResetError
from mayfly.mux.events import Priority
from mayfly.runtime.events import Closed, Leaving, Reporter, Warned
from mayfly.runtime.farewell import has_left
from mayfly.runtime.greeting import connected, greet
from mayfly.runtime.introduction import LocalHello
from mayfly.runtime.meeting import Met
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.runtime.tasks import TaskSet
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Role
from mayfly_client.dialler import Datagrams
from mayfly_client.pt.sources import NoRelayError, RelaySource

MAX_ATTEMPTS = 8
"""Relays that are tried for one connection of tor's; then tor is told that it failed, and decides itself when to ask
again."""


class Carrier:
    """Opens streams for tor's connections over one bridge line's relay. A Dialler."""

    def __init__(self, source: RelaySource, reporter: Reporter) -> None:
        self._source = source
        self._reporter = reporter
        self._tasks = TaskSet()
        self._session: Session | None = None
        self._meeting: asyncio.Task[Session | MayflyError] | None = None
        self._sessions: dict[Session, int] = {}
        self._met = 0
        self._said: str | None = None

    async def open_stream(self, header: Header, priority: Priority = Priority.INTERACTIVE) -> Stream:
        """Open a stream to whatever stands behind the relay. Raises MayflyError when no relay is to be had."""
        if header.service is not Service.TCP:
            raise _connections_only()
        session = await self._open_session()
        try:
            return await session.open_stream(header, priority)
        except (LinkLostError, StreamResetError):  # it has left, or is about to, and we are the first to see it
            self._let_go(session)
            if session.ended:
                self._ended(session)
        session = await self._open_session()
        return await session.open_stream(header, priority)

    async def open_datagrams(self, receive: Callable[[bytes], None]) -> Datagrams:
        """There are none: tor's connections are TCP."""
        raise _connections_only()

    async def aclose(self) -> None:
        """End the meeting under way and every session."""
        await self._tasks.aclose()
        closing = (session.close(ErrorCode.NO_ERROR, has_left(Role.CLIENT)) for session in list(self._sessions))
        await asyncio.gather(*closing)
        await self._source.aclose()

    async def _open_session(self) -> Session:
        if self._session is not None:
            return self._session
        if self._meeting is None:
            self._meeting = self._tasks.spawn(self._meet())
        result = await asyncio.shield(self._meeting)
        if isinstance(result, MayflyError):
            raise result
        return result

    async def _meet(self) -> Session | MayflyError:
        """A session with the first relay that can be had; the error that says why there is none."""
        try:
            return await self._try_relays()
        except MayflyError as error:
            self._say(error)
            return error
        finally:
            self._meeting = None

    async def _try_relays(self) -> Session:
        for _ in range(MAX_ATTEMPTS):
            try:
                session = await self._greet(await self._source.next())
            except NoRelayError:
                raise
            except MayflyError as error:
                self._say(error)
            else:
                self._said = None
                self._session = session
                return session
        raise NoRelayError("one relay after the other failed", hint="tor tries again by itself.")

    async def _greet(self, met: Met) -> Session:
        session = Session(
            met.link,
            LocalHello(role=Role.CLIENT),
            config=MuxConfig(),
            on_stream=lambda stream: stream.reset(StreamCode.UNSUPPORTED),
            on_datagram=lambda _stream_id, _payload: None,
        )
        self._met += 1
        number = self._met
        try:
            peer = await greet(session, Role.RELAY)
        except BaseException:
            await session.close()
            raise
        self._sessions[session] = number
        self._reporter.report(connected(number, session, met, peer))
        session.on_goaway(lambda seconds, reason: self._leaving(number, session, seconds, reason))
        self._tasks.spawn(self._watch(session))
        return session

    def _leaving(self, number: int, session: Session, seconds: float, reason: str) -> None:
        self._reporter.report(Leaving(number, seconds, reason))
        self._let_go(session)

    async def _watch(self, session: Session) -> None:
        await session.wait_closed()
        self._let_go(session)
        self._ended(session)

    def _ended(self, session: Session) -> None:
        """Tell it once. A dead link takes seconds to be closed, and tor may be back before that."""
        number = self._sessions.pop(session, None)
        if number is not None:
            self._reporter.report(Closed(number, session.end.reason or has_left(Role.RELAY)))

    def _let_go(self, session: Session) -> None:
        """Open nothing more on it. What is open there stays."""
        if self._session is session:
            self._session = None

    def _say(self, error: MayflyError) -> None:
        """Tell an error, but not twice in a row: tor asks again and again."""
        if error.message != self._said:
            self._said = error.message
            self._reporter.report(Warned.of(error))


def _connections_only() -> StreamResetError:
    return StreamResetError(StreamCode.UNSUPPORTED, "a bridge takes connections only")
