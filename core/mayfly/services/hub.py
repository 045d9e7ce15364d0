"""What a running program offers on top of its sessions: chat, transfers, and a control socket for commands.

A program makes one Hub and reports through it, so that commands which are attached hear what the program's own
reporter hears. For each session it takes a `Place`, joins it when the peer has said HELLO, and hands it the CHAT and
FILE streams that the peer opens.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

from mayfly.config import StreamHeaderConfig
from mayfly.errors import ControlError, StreamCode
from mayfly.mux.events import Side
from mayfly.runtime.control import ControlServer
from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.events import Draining, Event, Reporter, Status, Warned
from mayfly.runtime.introduction import PeerHello
from mayfly.runtime.serving import serve_stream
from mayfly.runtime.session import Session
from mayfly.runtime.shutdown import Shutdown
from mayfly.runtime.stream import Stream
from mayfly.runtime.tasks import TaskSet
from mayfly.services.options import HubOptions
from mayfly.services.requests import Requests
from mayfly.services.talk import Talk
from mayfly.services.topics import CHAT, topics_of
from mayfly.services.transfers import Transfers
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Role

SETTLE = 2.0
"""Seconds for the last messages to be delivered when a program leaves."""

_STALLED = 256 * 1024
"""Bytes that a command has not read, above which it is spared the news of progress."""


class Place:
    """One session's place in the hub."""

    def __init__(self, hub: Hub, number: int) -> None:
        self._hub = hub
        self._ready = asyncio.Event()
        self._left = False
        self._tasks = TaskSet()
        self.number = number
        self.session: Session
        self.hello: PeerHello
        self.since = 0.0

    def join(self, session: Session, hello: PeerHello) -> None:
        """The peer has said HELLO and is who it should be."""
        self.session, self.hello = session, hello
        self.since = asyncio.get_running_loop().time()
        self._hub.admit(self)
        self._ready.set()

    def on_stream(self, stream: Stream) -> None:
        """Serve a stream that the peer opened, for a program that offers nothing but chat and transfers."""
        if self._left:
            stream.reset(StreamCode.DRAINING)
        else:
            self._tasks.spawn(serve_stream(stream, self._serve, StreamHeaderConfig()))

    async def _serve(self, stream: Stream, header: Header) -> None:
        if header.service in (Service.CHAT, Service.FILE):
            await self.serve(stream, header)
        else:
            stream.reset(StreamCode.UNSUPPORTED)

    async def serve(self, stream: Stream, header: Header) -> None:
        """Serve a CHAT or FILE stream of the peer to its end. Raises StreamResetError when the peer ends it early."""
        await self._ready.wait()
        if self._left:
            stream.reset(StreamCode.DRAINING)
        else:
            await self._hub.serve(self, stream, header)

    async def leave(self) -> None:
        """The session has ended, or is about to be closed by us. Idempotent."""
        if not self._left:
            self._left = True
            self._ready.set()
            await self._hub.dismiss(self)
            await self._tasks.aclose()

    @property
    def lost(self) -> bool:
        """Whether the link broke, rather than one of the two leaving."""
        return self.session.ended and self.session.end.by is Side.LINK


class Hub:
    """One program's. Use as an async context manager; it is a Reporter as well."""

    def __init__(
        self, program: str, reporter: Reporter, shutdown: Shutdown, options: HubOptions, *, quiet: bool = False
    ) -> None:
        self._reporter = reporter
        self._quiet = quiet  # then only commands are told of chat and transfers
        self._options = options
        self._started = time.monotonic()
        self._draining = False
        self.program = program
        self.shutdown = shutdown
        self.places: dict[int, Place] = {}
        self.talk = Talk(
            options.user or program,
            self.tell,
            forwards=program == Role.RELAY.name.lower(),
            attended=lambda: any(CHAT in each.topics for each in self._server.connections),
        )
        self.transfers = Transfers(self.tell, self.label, options, shutdown.stop)
        self.describe_upstream: Callable[[], Awaitable[dict[str, Any]]] | None = None
        """A relay's: what `status` says of its upstream."""
        self.renew: Callable[[], Awaitable[float]] | None = None
        """A relay's: serves the request `newnym`."""
        requests = Requests(self)
        self._server = ControlServer(program, requests.serve, self.transfers.forget_command)

    async def __aenter__(self) -> Self:
        if self._options.control:
            try:
                self._server.listen(self._options.session, self._options.directory)
            except ControlError as error:
                if self._options.session is not None:
                    raise
                self.report(Warned.of(error))  # the program is of use without commands
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.transfers.aclose()
        await self.talk.aclose()
        self.talk.tell_all()
        await self._server.aclose()

    # Telling

    def report(self, event: Event) -> None:
        """Tell an event of the program to its reporter and to commands."""
        self._draining |= isinstance(event, Draining)
        self._reporter.report(event)
        self._publish(event)

    def tell(self, event: Event, *also: str) -> None:
        """Tell an event of the chat or of a transfer; `also` names more topics whose commands want it."""
        if not self._quiet:
            self._reporter.report(event)
        self._publish(event, *also)

    def _publish(self, event: Event, *also: str) -> None:
        topics = topics_of(event) | set(also)
        spare = event.event == "progress"
        self._server.publish(
            event.to_json(), lambda each: bool(topics & each.topics) and not (spare and each.waiting > _STALLED)
        )

    # Sessions

    def label(self, number: int) -> str:
        """What to call a peer: its name in the chat, or its role and number where it has none. Foreign text.

        Await `talk.introduced` before, or it depends on which comes first.
        """
        place = self.places.get(number)
        role = place.hello.role.name.lower() if place is not None else "peer"
        return self.talk.name_of(number) or f"{role} {number}"

    def place(self, number: int) -> Place:
        """A place for the session with that peer, before its peer has said anything."""
        return Place(self, number)

    def admit(self, place: Place) -> None:
        """The peer is here."""
        self.places[place.number] = place
        self.talk.join(place.number, place.session)

    async def dismiss(self, place: Place) -> None:
        """The peer is gone."""
        if self.places.pop(place.number, None) is not None:
            await self.transfers.leave(place.number)
            await self.talk.leave(place.number, lost=place.lost)

    async def serve(self, place: Place, stream: Stream, header: Header) -> None:
        """Serve a stream that the peer opened."""
        if header.service is Service.CHAT:
            await self.talk.serve(place.number, stream)
        else:
            await self.talk.introduced(place.number)  # so that what it offers has its name
            await self.transfers.serve(place.number, stream)

    async def settle(self) -> None:
        """Let the last messages be delivered, within a bound."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                await self.talk.settled()

    # Leaving

    def drain(self) -> None:
        """The program leaves: nothing new begins. Transfers under way go on for as long as it gives them."""
        self.transfers.drain()

    async def wait_idle(self) -> None:
        """Wait until no transfer is left."""
        await self.transfers.wait_idle()

    # Commands

    async def join(self) -> ControlClient:
        """A command's end for code in this process."""
        client = ControlClient(self._server.join())
        await client.start()
        return client

    def status(self) -> Status:
        """What the program does now."""
        now = asyncio.get_running_loop().time()
        return Status(
            session=self._server.name,
            program=self.program,
            pid=os.getpid(),
            uptime=round(time.monotonic() - self._started, 3),
            draining=self._draining,
            name=self.talk.name,
            who=tuple(self.talk.who()),
            peers=tuple(self._peer(place, now) for place in self.places.values()),
            transfers=tuple(self.transfers.status()),
        )

    def _peer(self, place: Place, now: float) -> dict[str, Any]:
        session = place.session
        path, trip = session.path(), session.round_trip
        return {
            "peer": place.number,
            "role": place.hello.role.name.lower(),
            "name": self.talk.name_of(place.number),
            "path": {
                "local": path.local.value if path.local else None,
                "remote": path.remote.value if path.remote else None,
            },
            "rtt_ms": None if trip is None else round(trip * 1000, 3),
            "streams": session.open_streams,
            "sent": session.bytes_sent,
            "received": session.bytes_received,
            "seconds": round(now - place.since, 3),
        }
