"""Several rooms joined by sessions whose bytes the test moves, and a ledger of all that was said and told."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from mayfly.chat.events import Delivered, Dropped, Event, Received, Undelivered
from mayfly.chat.fates import Fate
from mayfly.chat.records import Half
from mayfly.chat.room import Room
from mayfly.config import ChatConfig

FAST = ChatConfig(record_rate=1e9, record_burst=1e9, byte_rate=1e9, byte_burst=1e9)


def key_of(name: str) -> bytes:
    """A participant key for tests."""
    return name.encode().ljust(16, b"\0")


@dataclass
class Pipe:
    """What one end wrote to one half and the other has not read."""

    source: Room
    target: Room
    half: Half
    data: bytearray = field(default_factory=bytearray)


@dataclass
class Joint:
    """One session between two rooms."""

    number: int
    ends: tuple[Room, Room]
    pipes: list[Pipe]
    noticed: set[Room] = field(default_factory=set)
    """Ends that know that it was lost."""
    broken: bool = False


class Town:
    """Rooms by name, their sessions, and what happened."""

    def __init__(self, config: ChatConfig = FAST) -> None:
        self.config = config
        self.now = 0.0
        self.rooms: dict[str, Room] = {}
        self.joints: list[Joint] = []
        self.events: dict[str, list[Event]] = defaultdict(list)
        self.received: Counter[tuple[str, bytes, int]] = Counter()
        self.fates: dict[tuple[bytes, int], dict[str, list[Fate]]] = defaultdict(lambda: defaultdict(list))
        self.said: dict[tuple[bytes, int], tuple[str, str]] = {}
        self.meant: dict[tuple[bytes, int], set[str]] = {}
        self.lacking: dict[tuple[bytes, int], dict[str, bool]] = defaultdict(dict)
        """Whether an author was told that somebody surely lacks a message, by what it was told last."""
        self._numbers = itertools.count(1)

    def room(self, name: str, *, forwards: bool = False, as_name: str | None = None) -> Room:
        """A new room."""
        room = Room(key_of(name), as_name or name, forwards=forwards, config=self.config)
        self.rooms[name] = room
        return room

    def join(self, a: Room, b: Room) -> Joint:
        """Begin a session between two rooms."""
        number = next(self._numbers)
        pipes = [Pipe(source, target, half) for source, target in ((a, b), (b, a)) for half in (Half.SAY, Half.BACK)]
        joint = Joint(number, (a, b), pipes)
        self.joints.append(joint)
        for end in joint.ends:
            self.note(end, end.connect(number, self.now))
        return joint

    def lose(self, joint: Joint, *noticed: Room) -> None:
        """Break a session: what is under way is gone, and the ends given notice it now, the others later."""
        joint.broken = True
        for pipe in joint.pipes:
            pipe.data.clear()
        for end in noticed or joint.ends:
            self.notice(joint, end)

    def notice(self, joint: Joint, end: Room) -> None:
        """One end notices that a session was lost."""
        joint.noticed.add(end)
        self.note(end, end.disconnect(joint.number, self.now, lost=True))
        if len(joint.noticed) == 2 and joint in self.joints:
            self.joints.remove(joint)

    def leave(self, joint: Joint, end: Room) -> None:
        """One end leaves the chat in good order: the other sees its FIN, behind all that it said."""
        self.settle()
        if joint.broken or joint not in self.joints:
            return
        self.joints.remove(joint)
        other = joint.ends[0] if end is joint.ends[1] else joint.ends[1]
        self.note(other, other.disconnect(joint.number, self.now, lost=False))
        self.note(end, end.disconnect(joint.number, self.now, lost=False))

    def move(self, joint: Joint, pipe: Pipe, size: int) -> bool:
        """Let some bytes through one pipe; whether there were any."""
        written = pipe.source.take(joint.number, pipe.half)
        if joint.broken:
            return False
        pipe.data += written
        piece = bytes(pipe.data[:size])
        del pipe.data[: len(piece)]
        if piece:
            self.note(pipe.target, pipe.target.receive(joint.number, pipe.half, piece, self.now))
        return bool(piece)

    def settle(self) -> None:
        """Let everything through that is under way."""
        moved = True
        while moved:
            moved = False
            for joint in list(self.joints):
                for pipe in joint.pipes:
                    moved = self.move(joint, pipe, 1 << 20) or moved

    def heal(self) -> None:
        """Let everybody notice what was lost."""
        for joint in list(self.joints):
            if joint.broken:
                for end in set(joint.ends) - joint.noticed:
                    self.notice(joint, end)

    def say(self, room: Room, text: str, to: str = "") -> int:
        """Let a room's user say something."""
        there = {to} if to else {each.name for each in room.who() if each.present}
        number, events = room.say(text, to, 1_700_000_000_000, self.now)
        self.meant[room.id, number] = set(map(base, there))
        self.said[room.id, number] = (to, text)
        self.note(room, events)
        return number

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        for room in self.rooms.values():
            self.note(room, room.tick(self.now))

    def note(self, room: Room, events: list[Event]) -> None:
        """Write down what a room told, and check what holds at every moment."""
        name = next(name for name, each in self.rooms.items() if each is room)
        self.events[name] += events
        for event in events:
            match event:
                case Received():
                    self.received[name, event.origin, event.id] += 1
                    assert self.received[name, event.origin, event.id] == 1, "a message came twice"
                    to, text = self.said[event.origin, event.id]
                    assert event.text == text
                    assert event.private == bool(to)
                    assert not to or base(to) == name, "a private message came to another"
                case Delivered():
                    self._fate(room, event.id, event.by, Fate.DELIVERED)
                case Undelivered():
                    self._fate(room, event.id, event.to, event.fate)
                    self.lacking[room.id, event.id][base(event.to)] = event.certain
                case Dropped():
                    for joint in list(self.joints):
                        if joint.number == event.session:
                            self.lose(joint)
                case _:
                    pass

    def _fate(self, room: Room, number: int, name: str, fate: Fate) -> None:
        told = self.fates[room.id, number][base(name)]
        told.append(fate)
        assert told in ([fate], [Fate.AWAY, fate]), "more was told than can happen"
        assert fate is not Fate.HELD
        assert len(told) == 1 or fate is not Fate.AWAY

    def check(self) -> None:
        """All is settled: each message has come once and its author knows, or its author knows that it has not."""
        for message, fates in self.fates.items():
            for name, told in fates.items():
                assert told[-1] is not Fate.AWAY, "nobody knows what became of a message"
                if told[-1] is Fate.DELIVERED:
                    assert self.received[name, *message] == 1, "it was called delivered, and was not"
                elif self.lacking[message][name]:
                    assert self.received[name, *message] == 0, "they were said to lack it for sure, and have it"
        for message in self.said:
            assert self.fates[message], "a message left no trace"
            assert self.meant[message] <= self.fates[message].keys(), "of somebody who was there nothing was told"
        for name, author, number in self.received:
            known = self.fates[author, number]
            # Who came while it was said is told of by the forwarder, unless that stays away too long to do so.
            given_up = any(each[-1] is Fate.GONE for each in known.values())
            assert known.get(name) or given_up, "it came, and its author was told nothing"


def base(name: str) -> str:
    """A name without the number that a room put behind it."""
    return re.sub(r"-\d+$", "", name)
