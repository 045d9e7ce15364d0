"""One process's chat room: who is there, what is said to whom, and what of it has arrived.

Everybody at the other end of a session is a neighbour. A room that forwards (a relay's) passes on what its neighbours
say to each other and announces them to each other; any other room speaks for its own user only. Two rooms that both
forward treat each other as if neither did, so nothing can go round in a circle. The rules: core/PROTOCOL.md, "Chat".
"""

from __future__ import annotations

from dataclasses import dataclass

from mayfly.chat.events import Dropped, Event, Joined, Left, Named, Received
from mayfly.chat.fates import Fate
from mayfly.chat.line import Line
from mayfly.chat.names import NameBook, safe_name
from mayfly.chat.neighbour import Neighbour
from mayfly.chat.post import Post
from mayfly.chat.records import (
    MAX_TEXT,
    MAX_TIME,
    ChatError,
    Half,
    Hello,
    Joins,
    Leaves,
    Message,
    Receipt,
    Record,
    Roster,
    Taken,
    participant_id,
)
from mayfly.chat.seen import Seen
from mayfly.config import ChatConfig


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody else in the room. `direct`: at the other end of `session`, not behind it. Not `present`: away.

    Of whoever is away, `session` is the last one, whose number another one may have by now.
    """

    name: str
    session: int
    present: bool
    direct: bool


class Room:
    """One process's chat, without I/O. Calls give the events that they caused, in order.

    `session` is any number that the caller gives a session, and no other while it lasts. `now` is monotonic seconds.

    After any call, write what `take(session, half)` gives for each pair in `pending()`: Half.SAY on the CHAT stream
    that we open in that session (as soon as there is something to take), Half.BACK on our half of the CHAT stream that
    the peer opens. What comes on the peer's stream goes to `receive(…, Half.SAY, …)`, what comes back on ours to
    `receive(…, Half.BACK, …)`. A peer can break no call: at most its session is dropped, with an event.
    """

    def __init__(self, key: bytes, name: str, *, forwards: bool, config: ChatConfig) -> None:
        """`key` is 16 random bytes of this process, known to its neighbours only; it proves who comes back."""
        self._key = key
        self._config = config
        self._forwards = forwards
        self._book = NameBook()
        self._seen = Seen()
        self._lines: dict[int, Line] = {}
        self._people: dict[bytes, Neighbour] = {}
        self._overfull: list[Line] = []
        self._events: list[Event] = []
        self._post = Post(config, self._events.append, self._write_to)
        self._number = 0
        self.id = participant_id(key)
        self.name = self._book.claim(name)
        """Our user's name, safe, as it is announced."""

    # Sessions

    def connect(self, session: int, now: float) -> list[Event]:
        """A session has begun."""
        line = self._lines[session] = Line(session, self._config)
        line.write(Half.SAY, Hello(self._key, self.name, self._forwards))
        return self._finish(now)

    def disconnect(self, session: int, now: float, *, lost: bool) -> list[Event]:
        """A session, or its chat, has ended; a second time does nothing.

        Not `lost`, but left in good order (the FIN of the peer's stream): then nothing is kept for the peer.
        """
        if session in self._lines:
            self._leave(self._lines[session], now, lost=lost)
        return self._finish(now)

    def receive(self, session: int, half: Half, data: bytes, now: float) -> list[Event]:
        """Bytes have come, in any pieces; of Half.SAY call with b"" after `wait`, to read on. Never raises."""
        line = self._lines.get(session)
        if line is not None:
            line.feed(half, data)
            try:
                while session in self._lines and (record := line.read(half, now)) is not None:
                    self._handle(line, record)
            except ChatError as error:
                self._drop(line, f"the other side broke a rule of the chat: {error}", now)
        return self._finish(now)

    def wait(self, session: int, now: float) -> float:
        """Seconds for which nothing more may be read from the peer's stream, since it talks too fast; 0.0 to read."""
        line = self._lines.get(session)
        return line.wait(now) if line is not None else 0.0

    def pending(self) -> list[tuple[int, Half]]:
        """Where there is something to write."""
        return [(session, half) for session, line in self._lines.items() for half in Half if line.queued(half)]

    def take(self, session: int, half: Half, limit: int = 65536) -> bytes:
        """Bytes to write now, at most `limit`; empty when there are none."""
        line = self._lines.get(session)
        return line.take(half, limit) if line is not None else b""

    # Our user

    def say(self, text: str, to: str, time: int, now: float) -> tuple[int, list[Event]]:
        """Say something to everybody (`to` empty) or to one name of `who`. `time` is Unix milliseconds.

        Gives the message's number, which later events bear. Raises ChatError for more than 16 KiB.
        """
        text = text.encode("utf-8", "replace").decode()
        if len(text.encode()) > MAX_TEXT:
            raise ChatError("a message is too long")
        self._number += 1
        message = Message(self.id, self._number, min(max(time, 0), MAX_TIME), self.name, "", text)
        targets = self._targets(to)
        self._post.send(message, None, targets, {} if targets else {to: Fate.UNKNOWN})
        return self._number, self._finish(now)

    def ready(self, to: str = "") -> bool:
        """Whether one more message would be kept by all whom it is for. A pipe waits for this before it says more."""
        return all(neighbour.has_room(self.id, MAX_TEXT, self._config) for neighbour, _ in self._targets(to))

    def who(self) -> list[Member]:
        """Everybody else in the room, in order of arrival."""
        members: list[Member] = []
        for each in self._people.values():
            members.append(Member(each.name, each.session, each.line is not None, direct=True))
            members += (Member(name, each.session, present=True, direct=False) for name in each.others())
        return members

    def session_of(self, name: str) -> int | None:
        """The session at whose other end `name` is now; None when there is none, or they are behind another."""
        return next((m.session for m in self.who() if m.name == name and m.direct and m.present), None)

    # Time

    def next_timeout(self) -> float | None:
        """When to call `tick`; None when nothing waits for time."""
        since = [each.away_since for each in self._people.values() if each.away_since is not None]
        return min(since) + self._config.keep_away if since else None

    def tick(self, now: float) -> list[Event]:
        """Give up those who have been away too long."""
        for each in list(self._people.values()):
            if each.away_since is not None and now >= each.away_since + self._config.keep_away:
                self._forget(each)
        return self._finish(now)

    def close(self) -> list[Event]:
        """The process ends: everything of our user that was not delivered is reported."""
        self._lines.clear()
        for each in self._people.values():
            each.line = None
        for each in list(self._people.values()):
            self._forget(each)
        return self._finish(0.0)

    # What a peer says

    def _handle(self, line: Line, record: Record) -> None:
        neighbour = line.neighbour
        if isinstance(record, Hello):
            if neighbour is not None:
                raise ChatError("it said HELLO twice")
            self._meet(line, record)
            return
        if neighbour is None:
            if isinstance(record, Taken | Receipt):
                return  # it answers nothing that we can have said
            raise ChatError("it did not begin with HELLO")
        match record:
            case Roster():
                self._roster(neighbour, record)
            case Joins(name):
                self._joined(neighbour, name)
            case Leaves(name):
                self._left(neighbour, name)
            case Message():
                self._message(neighbour, record)
            case Taken():
                self._post.taken(neighbour, record)
            case Receipt():
                self._post.receipt(neighbour, record)

    def _meet(self, line: Line, hello: Hello) -> None:
        identity = participant_id(hello.key)
        if identity == self.id:
            raise ChatError("it has this program's own key")
        neighbour = self._people.get(identity)
        if neighbour is None:
            neighbour = self._admit(identity, hello)
        elif neighbour.line is not None:
            self._cut(neighbour.line, "the same participant has come by a newer session")
        was_there = neighbour.line is not None
        neighbour.line, neighbour.session, neighbour.away_since = line, line.session, None
        line.neighbour = neighbour
        if neighbour.speaks_for_others:
            line.spoken_for_many()
        others = [each for each in self._served() if each is not neighbour] if self._serves(neighbour) else []
        present = tuple(each.name for each in others if each.line is not None)
        line.write(Half.SAY, Roster(neighbour.name, present))
        self._post.resend(neighbour)
        if not was_there:
            self._events.append(Joined(neighbour.name, line.session))
            self._announce(others, Joins(neighbour.name))

    def _admit(self, identity: bytes, hello: Hello) -> Neighbour:
        if len(self._people) >= self._config.max_participants:
            away = [each for each in self._people.values() if each.away_since is not None]
            if not away:
                raise ChatError("the room is full")
            self._forget(min(away, key=lambda each: each.away_since or 0.0))
        speaks = hello.forwards and not self._forwards
        neighbour = Neighbour(identity, hello.name, self._book, forwards=hello.forwards, speaks_for_others=speaks)
        self._people[identity] = neighbour
        return neighbour

    def _roster(self, neighbour: Neighbour, roster: Roster) -> None:
        if roster.you != neighbour.you:
            neighbour.you = roster.you
            self._left(neighbour, roster.you)
            if (you := safe_name(roster.you)) != self.name:
                self._events.append(Named(you, neighbour.session))
        for raw in neighbour.missing_from(roster.names):
            self._left(neighbour, raw)
        for raw in roster.names:
            self._joined(neighbour, raw)

    def _joined(self, neighbour: Neighbour, raw: str) -> None:
        name = neighbour.joined(raw)
        if name is not None:
            self._events.append(Joined(name, neighbour.session))

    def _left(self, neighbour: Neighbour, raw: str) -> None:
        name = neighbour.left(raw)
        if name is not None:
            self._events.append(Left(name, neighbour.session))

    def _message(self, neighbour: Neighbour, message: Message) -> None:
        if message.origin != neighbour.id and (not neighbour.speaks_for_others or message.origin == self.id):
            raise ChatError("it gave a message another author")
        key = message.origin, message.id
        first = self._seen.first_time(neighbour.id, *key) and key not in self._post
        ours = message.to in ("", self.name)
        if first and ours:
            self._events.append(
                Received(
                    message.origin,
                    message.id,
                    neighbour.alias(message.sender),
                    message.to != "",
                    message.text,
                    message.time,
                    neighbour.session,
                )
            )
        if not self._serves(neighbour):
            fate = Fate.DELIVERED if ours else Fate.UNKNOWN
            self._write_to(neighbour, Half.BACK, Taken(*key, ((message.to or self.name, fate),)))
        elif first:
            self._forward(neighbour, message)
        else:
            self._post.again(key, neighbour)

    def _forward(self, source: Neighbour, message: Message) -> None:
        known: dict[str, Fate] = {self.name: Fate.DELIVERED} if message.to in ("", self.name) else {}
        others = [each for each in self._served() if each is not source]
        if message.to == "":
            targets = [(each, "") for each in others]
        else:
            targets = [(each, each.raw) for each in others if each.name == message.to]
        outgoing = Message(message.origin, message.id, message.time, source.name, "", message.text)
        self._post.send(outgoing, source, targets, known if known or targets else {message.to: Fate.UNKNOWN})

    # People

    def _targets(self, to: str) -> list[tuple[Neighbour, str]]:
        people = self._people.values()
        if to == "":
            return [(each, "") for each in people]
        return [(each, raw) for each in people if (raw := each.raw_of(to)) is not None]

    def _serves(self, neighbour: Neighbour) -> bool:
        return self._forwards and not neighbour.forwards

    def _served(self) -> list[Neighbour]:
        return [each for each in self._people.values() if self._serves(each)]

    def _leave(self, line: Line, now: float, *, lost: bool) -> None:
        del self._lines[line.session]
        neighbour = line.neighbour
        if neighbour is None:
            return
        line.neighbour = neighbour.line = None
        behind = [neighbour.left(raw) for raw in neighbour.missing_from(())]
        for name in (*behind, neighbour.name):
            if name is not None:
                self._events.append(Left(name, line.session))
        if self._serves(neighbour):
            self._announce(self._served(), Leaves(neighbour.name))
        if lost:
            neighbour.away_since = now
            self._post.lost(neighbour)
        else:
            self._forget(neighbour)

    def _forget(self, neighbour: Neighbour) -> None:
        self._post.gone(neighbour)
        del self._people[neighbour.id]
        neighbour.release_names()

    def _announce(self, people: list[Neighbour], record: Joins | Leaves) -> None:
        for each in people:
            if each.line is not None:
                self._write_to(each, Half.SAY, record)

    # Ends

    def _write_to(self, neighbour: Neighbour, half: Half, record: Record) -> None:
        if neighbour.line is not None and neighbour.line.write(half, record):
            self._overfull.append(neighbour.line)

    def _cut(self, line: Line, why: str) -> None:
        del self._lines[line.session]
        line.neighbour = None
        self._events.append(Dropped(line.session, why))

    def _drop(self, line: Line, why: str, now: float) -> None:
        if line.session in self._lines:
            self._events.append(Dropped(line.session, why))
            self._leave(line, now, lost=True)

    def _finish(self, now: float) -> list[Event]:
        # Only here, since dropping one may fill the queue of another.
        while self._overfull:
            self._drop(self._overfull.pop(), "the other side does not read what is said to it", now)
        events = list(self._events)
        self._events.clear()
        return events
