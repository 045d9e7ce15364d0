"""An ephemeral onion service at which clients meet the relay (core/PROTOCOL.md, "Meeting at an onion service").

    async with onion_door(…) as door:      nothing happens yet
        invitation = await door.invite()   the first one starts tor and publishes the service

Each caller gets an offer of its own as long as a seat is free; it is closed with the call unless it was answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable

from mayfly.errors import CodeError, GatheringError
from mayfly.meetconfig import OnionConfig
from mayfly.onion.desk import CallerMachine, Desk, State
from mayfly.onion.messages import PORT, Refusal
from mayfly.runtime.events import Listening, Reporter, Warned
from mayfly.runtime.meeting import Invitation
from mayfly.runtime.tasks import TaskSet
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Description, Kind
from mayfly.tor.driver import Tor
from mayfly.tor.settings import TorSettings
from mayfly.tor.trouble import Trouble
from mayfly.transport.base import Engine, LinkSettings, PendingOffer

_CHUNK = 4096


class Calls:
    """The calls that come in, on a port of this computer to which the onion service leads."""

    def __init__(
        self,
        engine: Engine,
        link: LinkSettings,
        config: OnionConfig,
        reporter: Reporter,
        *,
        remaining: Callable[[], float],
        on_description: Callable[[Description], None],
    ) -> None:
        self._engine = engine
        self._link = link
        self._config = config
        self._reporter = reporter
        self._remaining = remaining
        self._on_description = on_description
        self._loop = asyncio.get_running_loop()
        self._desk = Desk(config)
        self._tasks = TaskSet()
        self._seats: deque[asyncio.Future[Invitation]] = deque()
        self._server: asyncio.Server | None = None

    async def listen(self) -> int:
        """Begin to take calls; gives the port on 127.0.0.1."""
        self._server = await asyncio.start_server(self._called, "127.0.0.1", 0, limit=self._config.max_line)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def next(self) -> Invitation:
        """Keep a seat free until a call has answered an offer."""
        seat: asyncio.Future[Invitation] = self._loop.create_future()
        self._seats.append(seat)
        try:
            return await seat
        except asyncio.CancelledError:
            if seat.done() and not seat.cancelled():
                await seat.result().close()
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._seats.remove(seat)

    async def aclose(self) -> None:
        """Take no more calls, and end those that are open."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        await self._tasks.aclose()

    def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.spawn(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = CallerMachine(self._config, self._loop.time())
        entered = self._desk.enter()
        try:
            if entered:
                await _Call(self, call, reader, writer).run()
            else:
                writer.write(call.refuse(Refusal.BUSY))
            await asyncio.wait_for(writer.drain(), self._config.call_timeout)
        except (OSError, TimeoutError):
            pass  # the caller has gone, or does not read
        finally:
            if entered:
                self._desk.leave()
            writer.close()

    async def make_offer(self) -> tuple[PendingOffer, Code] | None:
        """An offer for one call; None without a seat, after too many of late, or where we have no address."""
        if not self._seats or not self._desk.may_offer(self._loop.time()):
            return None
        try:
            pending = await self._engine.offer(self._link)
        except GatheringError as error:
            self._reporter.report(Warned.of(error))
            return None
        self._on_description(pending.description)
        lifetime = min(self._config.answer_timeout, self._remaining())
        return pending, Code(pending.description, math.ceil(time.time() + lifetime))

    def seat(self, invitation: Invitation) -> bool:
        """Give a free seat away."""
        while self._seats:
            seat = self._seats.popleft()
            if not seat.done():
                seat.set_result(invitation)
                return True
        return False


class _Call:
    """One call: the machine, its connection, and the offer that belongs to it."""

    def __init__(
        self, calls: Calls, machine: CallerMachine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._calls = calls
        self._machine = machine
        self._reader = reader
        self._writer = writer
        self._made: tuple[PendingOffer, Code] | None = None

    async def run(self) -> None:
        """Until the call is over. Whatever it leaves behind is freed."""
        machine = self._machine
        try:
            while machine.state is not State.OVER:
                async with asyncio.timeout_at(machine.deadline):
                    data = await self._reader.read(_CHUNK)
                if not data:
                    return
                self._writer.write(machine.receive(data))
                await self._act()
        except TimeoutError:
            self._writer.write(machine.refuse(Refusal.LATE))
        finally:
            if self._made is not None:
                await self._made[0].close()

    async def _act(self) -> None:
        machine = self._machine
        if machine.state is State.WANTING:
            self._made = await self._calls.make_offer()
            now = asyncio.get_running_loop().time()
            reply = machine.refuse(Refusal.BUSY) if self._made is None else machine.offer(self._made[1].text, now)
            self._writer.write(reply)
        elif machine.state is State.JUDGING and self._made is not None:
            self._writer.write(self._judge(*self._made))

    def _judge(self, pending: PendingOffer, offer: Code) -> bytes:
        machine = self._machine
        try:
            answer = parse(machine.answer, wanted=Kind.ANSWER, now=time.time(), offers=[offer])
        except CodeError:
            return machine.refuse(Refusal.ANSWER)
        if not self._calls.seat(Invitation(pending, offer, answer)):
            return machine.refuse(Refusal.BUSY)
        self._made = None  # it is the invitation's now
        return machine.accept()


class OnionDoor:
    """A Door. The first `invite` starts tor, or attaches to one, and publishes the service."""

    def __init__(self, calls: Calls, tor: Tor | TorSettings, reporter: Reporter) -> None:
        """`tor` is one that runs, or says how one is started, or reached, for the door alone."""
        self._calls = calls
        self._tor = tor
        self._reporter = reporter
        self._stack = contextlib.AsyncExitStack()
        self._published = False

    async def invite(self) -> Invitation:
        """Wait for the next client. Raises TorError while there is no service, and later nothing."""
        if not self._published:
            await self._publish()
            self._published = True
        return await self._calls.next()

    def freed(self) -> None:
        """The next `invite` says that there is a seat."""

    async def aclose(self) -> None:
        """End the service, its calls, and a tor of our own."""
        await self._stack.aclose()

    async def _publish(self) -> None:
        self._stack.push_async_callback(self._calls.aclose)
        port = await self._calls.listen()
        tor = self._tor
        if isinstance(tor, TorSettings):
            tor = await self._stack.enter_async_context(Tor(tor, Trouble(self._reporter).heed))
        await tor.wait_ready()
        service = await tor.add_onion(PORT, f"127.0.0.1:{port}")
        self._reporter.report(Listening("onion", service.address))


@contextlib.asynccontextmanager
async def onion_door(
    tor: Tor | None,
    settings: TorSettings,
    engine: Engine,
    link: LinkSettings,
    reporter: Reporter,
    *,
    remaining: Callable[[], float],
    on_description: Callable[[Description], None],
    config: OnionConfig | None = None,
) -> AsyncGenerator[OnionDoor]:
    """The door, through the given tor or else one of its own. `remaining()` gives the seconds that the relay stays."""
    calls = Calls(engine, link, config or OnionConfig(), reporter, remaining=remaining, on_description=on_description)
    door = OnionDoor(calls, tor or settings, reporter)
    try:
        yield door
    finally:
        await door.aclose()
