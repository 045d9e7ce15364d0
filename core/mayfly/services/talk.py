"""The chat of one program: the Room's records carried over the CHAT streams of its sessions.

Each end opens one CHAT stream a session and speaks on it; what comes back on it says what became of that. The Room
decides everything; here is only who reads, who writes, and the clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from mayfly.chat import events as room_events
from mayfly.chat.records import ID_SIZE, ChatError, Half
from mayfly.chat.room import Room
from mayfly.config import ChatConfig
from mayfly.errors import ControlError, LinkLostError, Reply, StreamCode, StreamResetError
from mayfly.mux.events import Priority
from mayfly.runtime.events import Delivered, Event, Joined, Left, MessageReceived, Undelivered, Warned
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.runtime.tasks import TaskSet
from mayfly.wire.header import Answer, Header, Service

NAMING = 2.0
"""Seconds that a session's other end has to say its name before it goes without one."""

MAX_MISSED = 256
"""Messages that are kept for a command that attaches later, at most about 16 KiB each; the oldest go first."""


@dataclass
class _Ways:
    """One session's streams, and what wakes their writers."""

    session: Session
    named_by: float
    tasks: TaskSet = field(default_factory=TaskSet)
    ours: Stream | None = None
    theirs: Stream | None = None
    news: dict[Half, asyncio.Event] = field(default_factory=lambda: {half: asyncio.Event() for half in Half})


class Talk:
    """The room with its streams. `tell` is given each event, in order; `attended` says whether somebody reads them."""

    def __init__(
        self,
        user: str,
        tell: Callable[[Event], None],
        *,
        forwards: bool,
        attended: Callable[[], bool] = lambda: True,
        config: ChatConfig | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = Room(secrets.token_bytes(ID_SIZE), user, forwards=forwards, config=config or ChatConfig())
        self._tell = tell
        self._attended = attended
        self._ways: dict[int, _Ways] = {}
        self._missed: deque[MessageReceived] = deque(maxlen=MAX_MISSED)
        self._untold: deque[room_events.Event] = deque()
        self._open: set[tuple[int, str]] = set()
        self._changed = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    # For people

    @property
    def name(self) -> str:
        """Our own."""
        return self._room.name

    def who(self) -> list[str]:
        """The names of the others who are here."""
        return [member.name for member in self._room.who() if member.present]

    def name_of(self, number: int) -> str | None:
        """What the other end of a session is called, if it has said so.

        Whoever has gone is not meant: a client's next relay has the number of the last one.
        """
        return next((m.name for m in self._room.who() if m.session == number and m.direct and m.present), None)

    async def introduced(self, *numbers: int, enough: str | None = None) -> None:
        """Wait until each of these sessions' other ends has said its name, has let its time pass, or has gone.

        Or until somebody has the name that is `enough`.
        """
        for number, ways in [(number, self._ways[number]) for number in numbers if number in self._ways]:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(ways.named_by):
                    while number in self._ways and self.name_of(number) is None and not self._is_somebody(enough):
                        self._changed.clear()
                        await self._changed.wait()

    def _is_somebody(self, name: str | None) -> bool:
        return name is not None and self.session_of(name) is not None

    def session_of(self, name: str) -> int | None:
        """The session whose other end has this name."""
        return self._room.session_of(name)

    def say(self, text: str, to: str | None) -> tuple[str, list[str]]:
        """Send to all, or to one name. Gives the message's id and for whom it is; events follow in a later turn.

        Raises ControlError for a text that is too long or empty, or when too much waits.
        """
        if not text:
            raise ControlError("There is nothing to say.", hint="Write a text.")
        names = [m.name for m in self._room.who() if m.present] if to is None else [to]
        if not self._room.ready(to or ""):
            raise ControlError("Too many messages wait to be delivered.", hint="Wait, and say it again.")
        try:
            number, events = self._room.say(text, to or "", int(time.time() * 1000), self._loop.time())
        except ChatError as error:
            raise ControlError(f"This cannot be sent: {error}.", hint="Send a long text as a file.") from None
        self._open.update((number, name) for name in names)
        self._after(events)
        return str(number), names

    def tell_all(self) -> None:
        """Tell what has happened until now: who listens from here on hears of nothing that `who` says already."""
        while self._untold:
            self._pass_on(self._untold.popleft())

    def take_missed(self) -> list[MessageReceived]:
        """Messages that came while nobody was there for them. They are given once."""
        missed = list(self._missed)
        self._missed.clear()
        return missed

    async def settled(self) -> None:
        """Wait until of each message of ours is known whether it was delivered, or that its link is lost."""
        while self._open:
            self._changed.clear()
            await self._changed.wait()

    # Sessions

    def join(self, number: int, session: Session) -> None:
        """A session has begun."""
        self._ways[number] = _Ways(session, self._loop.time() + NAMING)
        self._after(self._room.connect(number, self._loop.time()))

    async def leave(self, number: int, *, lost: bool) -> None:
        """A session is over or about to be."""
        ways = self._ways.pop(number, None)
        if ways is not None:
            self._after(self._room.disconnect(number, self._loop.time(), lost=lost))
            if ways.ours is not None and not lost:
                ways.ours.finish()  # by which the peer knows that we have left, and not been lost
            await self._end(ways)

    async def serve(self, number: int, stream: Stream) -> None:
        """Hear what the other end of a session says on the CHAT stream that it opened. Raises StreamResetError."""
        ways = self._ways.get(number)
        if ways is None or ways.theirs is not None:
            stream.reset(StreamCode.LIMIT)
            return
        ways.theirs = stream
        stream.set_priority(Priority.CHAT)
        await stream.answer(Answer(Reply.SUCCEEDED))
        ways.tasks.spawn(self._write(number, ways, stream, Half.BACK))
        data = b""
        while number in self._ways:
            now = self._loop.time()
            self._hear(number, Half.SAY, data, now)
            # With the same `now`: a little later the room would let us read on, and what it has left would stay there.
            if (pause := self._room.wait(number, now)) > 0:
                await asyncio.sleep(pause)
                data = b""
            elif not (data := await stream.read()):
                stream.finish()
                await self.leave(number, lost=False)

    async def aclose(self) -> None:
        """Report what was not delivered, and end all streams."""
        self._after(self._room.close())
        ways, self._ways = self._ways, {}
        for each in ways.values():
            await self._end(each)
        if self._timer is not None:
            self._timer.cancel()

    async def _end(self, ways: _Ways) -> None:
        await ways.tasks.aclose()
        for stream in (ways.ours, ways.theirs):
            if stream is not None:
                stream.reset()

    # Streams

    async def _speak(self, number: int, ways: _Ways) -> None:
        """Open our stream, and say on it what the room wants said."""
        try:
            ways.ours = await ways.session.open_stream(Header(Service.CHAT), Priority.CHAT)
            answer = await ways.ours.read_answer()
            if answer.reply is not Reply.SUCCEEDED:
                raise StreamResetError(StreamCode.UNSUPPORTED)
            ways.tasks.spawn(self._listen(number, ways.ours))
            await self._write(number, ways, ways.ours, Half.SAY)
        except (StreamResetError, LinkLostError):
            pass  # a session that is over is told by its owner; a peer without a chat is nobody in the room

    async def _listen(self, number: int, stream: Stream) -> None:
        """What became of what we said."""
        try:
            while data := await stream.read():
                self._hear(number, Half.BACK, data, self._loop.time())
        except StreamResetError:
            pass

    async def _write(self, number: int, ways: _Ways, stream: Stream, half: Half) -> None:
        try:
            while True:
                ways.news[half].clear()
                while data := self._room.take(number, half):
                    await stream.write(data)
                await ways.news[half].wait()
        except StreamResetError:
            pass

    def _hear(self, number: int, half: Half, data: bytes, now: float) -> None:
        if number in self._ways:
            self._after(self._room.receive(number, half, data, now))

    # The room

    def _after(self, events: Iterable[room_events.Event]) -> None:
        """After every call of the room: pass on what it says, wake whoever writes, and set the clock."""
        self._untold.extend(events)
        self._changed.set()
        if self._untold:
            self._loop.call_soon(self.tell_all)
        for number, half in self._room.pending():
            ways = self._ways.get(number)
            if ways is None:
                continue
            ways.news[half].set()
            if half is Half.SAY and ways.ours is None and not ways.tasks:
                ways.tasks.spawn(self._speak(number, ways))
        if self._timer is not None:
            self._timer.cancel()
        due = self._room.next_timeout()
        self._timer = None if due is None else self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._after(self._room.tick(self._loop.time()))

    def _pass_on(self, event: room_events.Event) -> None:
        match event:
            case room_events.Joined():
                self._tell(Joined(event.name))
            case room_events.Left():
                self._tell(Left(event.name))
            case room_events.Received():
                self._receive(event)
            case room_events.Delivered():
                self._settle(event.id, event.by)
                self._tell(Delivered(str(event.id), event.by))
            case room_events.Undelivered():
                self._settle(event.id, event.to)
                self._tell(Undelivered(str(event.id), event.to, event.final, event.certain))
            case room_events.Dropped():
                self._drop(event)
            case room_events.Named():
                pass  # the name is ours on that side alone, and everybody here knows us by the other

    def _settle(self, number: int, name: str) -> None:
        self._open.discard((number, name))
        self._changed.set()

    def _receive(self, event: room_events.Received) -> None:
        message = MessageReceived(
            sender=event.sender,
            to=self.name if event.private else None,
            text=event.text,
            time=event.time,
            id=f"{event.origin.hex()}-{event.id}",
        )
        if not self._attended():
            self._missed.append(message)
        self._tell(message)

    def _drop(self, event: room_events.Dropped) -> None:
        ways = self._ways.pop(event.session, None)
        self._changed.set()
        if ways is not None:
            for stream in (ways.ours, ways.theirs):
                if stream is not None:
                    stream.reset(StreamCode.LIMIT)  # which ends the tasks that read and write it
            self._tell(
                Warned(
                    "chat",
                    f"Somebody takes no more part in the chat: {event.why}.",
                    "They can come back by connecting again, with the same version of Mayfly as here.",
                )
            )
