"""`mayfly relay`: meet clients one after the other, lend each of them the network, and leave when it is time.

::

    lend:   offer a code -> answered -> [serve that client] and, while there is room, offer the next code
    leave:  asked to (Ctrl-C), lifetime over, or all bytes carried -> GOAWAY to all -> grace -> close
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace

from mayfly.config import MuxConfig
from mayfly.errors import CodeError, ErrorCode, MayflyError
from mayfly.runtime import descriptors
from mayfly.runtime.events import Closed, CodeReader, Draining, Leaving, Reporter, Warned
from mayfly.runtime.farewell import has_left
from mayfly.runtime.greeting import connected, greet
from mayfly.runtime.introduction import LocalHello
from mayfly.runtime.meeting import Meeting, Met
from mayfly.runtime.rate import ByteLimiter, Rates
from mayfly.runtime.session import Session
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.tasks import TaskSet, first_of, unless
from mayfly.services.hub import Hub
from mayfly.signaling.description import Description
from mayfly.transport.engines import make_engine
from mayfly.wire.hello import Role, Upstream
from mayfly_relay import outgoing, whereabouts
from mayfly_relay.door import Arriving, CodeDoor, Door, broker_door
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.limits import ByteQuota
from mayfly_relay.meter import Meter, Over
from mayfly_relay.oniondoor import onion_door
from mayfly_relay.options import RelayOptions
from mayfly_relay.ways import WayOut, open_way

_BURST_SECONDS = 0.1  # of the rate limit, so that short pauses of the loop are made up


async def run_relay(options: RelayOptions, reporter: Reporter, codes: CodeReader, shutdown: Shutdown) -> None:
    """Run a relay to its end. Returns after a drain; raises MayflyError when it cannot go on."""
    descriptors.raise_limit(options.limits.sockets + outgoing.RESERVE)
    own = OwnNetworks()
    async with (
        Hub("relay", reporter, shutdown, options.hub) as hub,
        open_way(options, own, hub.report, shutdown) as way,
    ):
        hub.describe_upstream, hub.renew = way.describe, way.renew
        await _Relay(options, hub, codes, own, way).run(shutdown)


class _Relay:
    """One run: the clients of the moment, and what they share."""

    def __init__(self, options: RelayOptions, hub: Hub, codes: CodeReader, own: OwnNetworks, way: WayOut) -> None:
        self._options = options
        self._hub = hub
        self._own = own
        self._way = way
        self._engine = make_engine(options.engine)
        self._meeting = Meeting(
            self._engine,
            options.link,
            hub,
            codes,
            deadline=time.time() + options.lifetime,
            on_description=self._learn_addresses,
        )
        self._leave_at = asyncio.get_running_loop().time() + options.lifetime
        self._quota = ByteQuota(options.limits.max_bytes)
        self._rates = _rates(options.limits.max_rate)
        self._tasks = TaskSet()
        self._sessions: dict[int, Session] = {}
        self._met = 0
        self._seats = asyncio.Semaphore(options.limits.max_clients)
        self._full = asyncio.Event()
        self._failure: MayflyError | None = None

    async def run(self, shutdown: Shutdown) -> None:
        try:
            async with self._open_door() as door:
                await unless(shutdown.drain, self._lend(door))
            asked = shutdown.drain.is_set()
            shutdown.request_drain()  # so that the next Ctrl-C stops at once, whatever began this
            await self._drain(shutdown, "the volunteer is leaving" if asked else self._why())
        finally:
            await asyncio.gather(*(session.close(ErrorCode.DRAINED, has_left(Role.RELAY)) for session in self._all()))
            await self._tasks.aclose()

    def _open_door(self) -> contextlib.AbstractAsyncContextManager[Door]:
        options = self._options
        if options.offer_onion:
            return onion_door(
                self._way.tor,
                options.tor,
                self._engine,
                options.link,
                self._hub,
                remaining=self._remaining,
                on_description=self._learn_addresses,
            )
        if options.broker is None:
            return contextlib.nullcontext(CodeDoor(self._meeting))
        return broker_door(
            options.broker,
            options,
            self._engine,
            self._hub,
            remaining=self._remaining,
            on_description=self._learn_addresses,
        )

    def _remaining(self) -> float:
        return max(self._leave_at - asyncio.get_running_loop().time(), 0.0)

    def _all(self) -> list[Session]:
        return list(self._sessions.values())

    def _learn_addresses(self, description: Description) -> None:
        """Addresses that a NAT gives us are ours too: through them a client could reach the router from inside."""
        self._own.add(c.address for c in description.candidates if not isinstance(c.address, str))

    def _may_be_reached_from_inside(self) -> bool:
        """Whether there are clients whose connections begin in our own network."""
        return bool(self._sessions) and self._way.kind not in (Upstream.TOR, Upstream.BRIDGE)

    # Lending

    async def _lend(self, door: Door) -> None:
        """Until the time is up, the bytes are carried, or nobody can come any more."""
        meet = self._invite_all(door) if self._options.code is None else self._answer_one(self._options.code)
        look = whereabouts.watch(
            self._engine, self._options.link, self._learn_addresses, needed=self._may_be_reached_from_inside
        )
        await first_of(meet, look, asyncio.sleep(self._remaining()), self._full.wait())

    async def _invite_all(self, door: Door) -> None:
        """One client after the other, while there are seats."""
        await self._way.ready()
        while True:
            await self._seats.acquire()
            try:
                arriving = await door.invite()
            except EOFError:
                if not self._tasks:
                    raise CodeError(
                        "The input ended before a client's answer came.",
                        hint="Keep standard input open and write the answer to it as a line.",
                    ) from None
                break
            self._tasks.spawn(self._welcome(door, arriving))
        await self._tasks.join()  # nobody else can answer; those who are here stay as long as they like

    async def _answer_one(self, code: str) -> None:
        """A relay that was started with a client's code is for that client."""
        await self._way.ready()
        await self._seats.acquire()
        met = await self._meeting.reply(code)
        # In a task of its own, as for any client: who drains ends this wait and not the client.
        self._tasks.spawn(self._welcome_only(met))
        await self._tasks.join()
        if self._failure is not None:
            raise self._failure

    async def _welcome_only(self, met: Met) -> None:
        try:
            await self._serve(met)
        except MayflyError as error:
            self._failure = error

    async def _welcome(self, door: Door, arriving: Arriving) -> None:
        try:
            await self._serve(await arriving.connect())
        except MayflyError as error:  # of one client; the relay goes on
            self._hub.report(Warned.of(error))
        finally:
            self._seats.release()
            door.freed()

    async def _serve(self, met: Met) -> None:
        """One client from HELLO to its end."""
        options = self._options
        self._met += 1
        number = self._met
        place = self._hub.place(number)
        service = self._way.service(number, place.serve, met.link.path().remote_address)
        session = Session(
            met.link,
            LocalHello(role=Role.RELAY, policy=self._way.summary, lifetime=self._remaining(), upstream=self._way.kind),
            config=replace(MuxConfig(), max_streams=options.limits.max_streams),
            on_stream=service.on_stream,
            on_datagram=service.on_datagram,
            rates=self._rates,
        )
        service.attach(session.send_datagram)
        try:
            peer = await greet(session, Role.CLIENT)
            self._sessions[number] = session
            self._hub.report(connected(number, session, met, peer))
            session.on_goaway(lambda seconds, reason: self._hub.report(Leaving(number, seconds, reason)))
            place.join(session, peer)
            meter = Meter(session, service, self._quota, options.limits.idle_timeout)
            await first_of(session.wait_closed(), self._watch(session, meter))
            meter.look(asyncio.get_running_loop().time())
            self._report_end(number, session)
        finally:
            self._sessions.pop(number, None)
            await place.leave()
            await service.aclose()
            await session.close(ErrorCode.DRAINED, has_left(Role.RELAY))

    async def _watch(self, session: Session, meter: Meter) -> None:
        over = await meter.watch()
        if over is Over.QUOTA:
            self._full.set()  # everybody leaves, in order
            await session.wait_closed()
        else:
            await session.close(ErrorCode.DRAINED, over.value)

    def _report_end(self, number: int, session: Session) -> None:
        self._hub.report(Closed(number, session.end.reason or has_left(Role.CLIENT)))

    # Leaving

    async def _drain(self, shutdown: Shutdown, reason: str) -> None:
        """Tell all clients, let open streams finish within the grace period, then close."""
        open_streams = sum(session.open_streams for session in self._all())
        self._hub.report(Draining(open_streams, self._options.grace if self._sessions else 0.0))
        if not self._sessions:
            return
        self._hub.drain()
        for session in self._all():
            session.go_away(self._options.grace, reason)
        finished = asyncio.gather(*(self._finish(session) for session in self._all()))
        await unless(shutdown.stop, _at_most(finished, self._options.grace))

    def _why(self) -> str:
        if self._quota.exhausted:
            return Over.QUOTA.value
        return "the relay's time is up"

    async def _finish(self, session: Session) -> None:
        """Close a session as soon as its streams have ended."""
        await first_of(session.wait_idle(), session.wait_closed())
        await self._hub.settle()
        await session.close(ErrorCode.DRAINED, has_left(Role.RELAY))


async def _at_most(work: asyncio.Future[list[None]], seconds: float) -> None:
    await asyncio.wait([work], timeout=seconds)
    work.cancel()


def _rates(max_rate: float | None) -> Rates | None:
    if max_rate is None:
        return None
    burst = max(max_rate * _BURST_SECONDS, 64 * 1024)
    return Rates(ByteLimiter(max_rate, burst), ByteLimiter(max_rate, burst))
