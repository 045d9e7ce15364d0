"""A client with relays of a broker's pool: it keeps several, replaces those that go, and spreads streams over them.

What to do is decided in pool.py and vigil.py; here it is done. Each relay has a task from its match to its end, and
two beside that watch its speed and its life.
"""

from __future__ import annotations

import asyncio
import contextlib
import math

from mayfly.config import MuxConfig
from mayfly.errors import BrokerRefusedError, ErrorCode, MayflyError
from mayfly.rendezvous.messages import ErrorName
from mayfly.runtime.broker.brokers import Brokers, chance
from mayfly.runtime.broker.guest import Found, Guest
from mayfly.runtime.broker.options import BrokerOptions
from mayfly.runtime.events import Closed, Leaving, Listening, Warned
from mayfly.runtime.farewell import THIS_SIDE_LEFT, has_left
from mayfly.runtime.greeting import connected, greet
from mayfly.runtime.introduction import LocalHello
from mayfly.runtime.meeting import Met
from mayfly.runtime.session import Session
from mayfly.runtime.tasks import TaskSet, first_of, unless
from mayfly.services.hub import Hub
from mayfly.transport.engines import make_engine
from mayfly.wire.hello import Role
from mayfly_client import drain
from mayfly_client.dialler import SessionDialler
from mayfly_client.heard import HeardLink
from mayfly_client.listener import ProxyListener
from mayfly_client.options import ClientOptions
from mayfly_client.pool import Step
from mayfly_client.pooldialler import PoolDialler, Relayed
from mayfly_client.vigil import Act, Vigil


class BrokeredClient:
    """One run of it. `dialler` is the listener's, which stands before the first relay is asked for."""

    def __init__(self, options: ClientOptions, hub: Hub, listener: ProxyListener, dialler: PoolDialler) -> None:
        self._options = options
        self._config = options.pool
        self._hub = hub
        self._listener = listener
        self._dialler = dialler
        self._pool = dialler.pool
        self._changed = dialler.changed
        self._tasks = TaskSet()
        self._sessions: dict[int, Session] = {}
        self._keys: dict[int, str | None] = {}
        self._numbers = 0
        self._told: set[int] = set()  # whose end was reported
        self._announced = False
        self._said = ""
        self._loop = asyncio.get_running_loop()

    async def run(self, broker: BrokerOptions) -> None:
        """Serve applications until we are told to leave."""
        errands = TaskSet()
        async with Brokers(broker) as brokers:
            guest = Guest(brokers, make_engine(self._options.engine), self._options.link, errands)
            try:
                await unless(self._hub.shutdown.drain, self._keep(guest))
                await self._drain()
            finally:
                await self._tasks.aclose()
                await errands.aclose()

    async def _keep(self, guest: Guest) -> None:
        """As many relays as are wanted, for ever."""
        while True:
            self._changed.clear()
            while self._pool.fetch(self._loop.time()):
                self._tasks.spawn(self._fetch(guest))
            due = self._pool.next_timeout(self._loop.time())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._changed.wait()

    # One relay, from its match to its end

    async def _fetch(self, guest: Guest) -> None:
        given: list[str] = []

        def matched(posting: str) -> None:
            given.append(posting)
            self._pool.matched(posting)
            self._changed.set()

        try:
            exclude = self._pool.excluded(self._loop.time())
            ours = {key for key in self._keys.values() if key}
            found = await guest.stranger(self._options.wish, exclude, matched, ours)
        except MayflyError as error:
            self._missed(error, given[0] if given else None)
            return
        if self._hub.shutdown.drain.is_set():
            await found.met.link.close()
        else:
            await self._serve(found)

    def _missed(self, error: MayflyError, posting: str | None) -> None:
        asked = error.retry_after if isinstance(error, BrokerRefusedError) else None
        self._pool.failed(posting, chance(), self._loop.time(), asked)
        if isinstance(error, BrokerRefusedError) and error.code == ErrorName.NO_RELAY:
            self._pool.nobody()
        if self._pool.empty and error.message != self._said:  # with a relay at hand nobody needs to know
            self._said = error.message
            self._hub.report(Warned.of(error))
        self._changed.set()

    async def _serve(self, found: Found) -> None:
        self._numbers += 1
        number = self._numbers
        link = HeardLink(found.met.link, lambda: self._step(number, Step.GOAWAY))
        own = SessionDialler()
        place = self._hub.place(number)
        session = Session(
            link,
            LocalHello(role=Role.CLIENT),
            config=MuxConfig(),
            on_stream=place.on_stream,
            on_datagram=own.deliver,
        )
        own.attach(session)
        self._sessions[number] = session
        self._keys[number] = found.key
        try:
            try:
                peer = await greet(session, Role.RELAY)
            except MayflyError as error:
                self._missed(error, found.posting)
                return
            load = 0.0 if found.about is None else found.about.load
            self._pool.fetched(number, found.posting, load, peer.lifetime, self._loop.time())
            self._welcome(number, session, found.met, link, own)
            place.join(session, peer)
            await first_of(session.wait_closed(), self._watch(number, session), self._guard(number, session, link))
            self._closed(number, session.end.reason or has_left(Role.RELAY))
        finally:
            self._dialler.remove(number)
            self._pool.gone(number, self._loop.time(), failed=_failed(session))
            del self._sessions[number], self._keys[number]
            self._changed.set()
            await place.leave()
            await session.close(ErrorCode.NO_ERROR, has_left(Role.CLIENT))

    def _welcome(self, number: int, session: Session, met: Met, link: HeardLink, own: SessionDialler) -> None:
        self._said = ""
        self._hub.report(connected(number, session, met, session.peer))
        session.on_goaway(lambda seconds, reason: self._leaving(number, seconds, reason))
        self._dialler.add(number, Relayed(session, own, link))
        if not self._announced:
            self._announced = True
            self._hub.report(Listening("socks5", self._listener.address))
        self._changed.set()

    def _leaving(self, number: int, seconds: float, reason: str) -> None:
        self._hub.report(Leaving(number, seconds, reason))
        self._step(number, Step.GOAWAY)

    def _closed(self, number: int, reason: str) -> None:
        if number not in self._told:
            self._told.add(number)
            self._hub.report(Closed(number, reason))

    def _step(self, number: int, step: Step) -> None:
        self._pool.step(number, step)
        self._changed.set()

    async def _watch(self, number: int, session: Session) -> None:
        """Look at a relay's speed."""
        before = math.nan
        while True:
            await asyncio.sleep(self._config.watch)
            moved = session.bytes_sent + session.bytes_received
            speed = 0.0 if math.isnan(before) else (moved - before) / self._config.watch
            before = moved
            self._pool.measured(number, session.open_streams, speed)

    async def _guard(self, number: int, session: Session, link: HeardLink) -> None:
        """Let a relay go when it owes us a sign of life for too long."""
        vigil = Vigil(self._config, self._loop.time())
        while True:
            await asyncio.sleep(max(vigil.due - self._loop.time(), 0.0))
            act = vigil.look(
                self._loop.time(),
                link.heard,
                session.round_trip,
                busy=session.open_streams > 0,
                doubted=self._pool.quiet(number),
                alone=self._pool.alone(number),
            )
            match act:
                case Act.ASK:
                    session.prompt(again=True)
                case Act.DOUBT:
                    self._step(number, Step.SILENT)
                case Act.TRUST:
                    self._step(number, Step.HEARD)
                    self._dialler.wake()
                case Act.GIVE_UP:
                    await session.close(ErrorCode.LIVENESS_TIMEOUT, "the relay has stopped answering")
                    return
                case Act.NOTHING:
                    pass

    # Leaving

    async def _drain(self) -> None:
        """Let what is open finish, within the grace period."""
        hub, listener, grace = self._hub, self._listener, self._options.grace
        sessions = list(self._sessions.items())
        drain.begin(listener, hub, [session for _, session in sessions], grace)
        if sessions:
            await unless(hub.shutdown.stop, drain.finish(listener, hub, grace))
        for number, session in sessions:
            if not session.ended:
                self._closed(number, THIS_SIDE_LEFT)
                await session.close(ErrorCode.DRAINED, has_left(Role.CLIENT))


def _failed(session: Session) -> bool:
    """Whether a session did not end as one that its relay or we have left."""
    return session.ended and not session.end.in_order
