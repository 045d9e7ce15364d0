"""Rooms that have met, what they told, and a peer that writes whatever a test wants."""

from __future__ import annotations

from mayfly.chat.events import Delivered, Dropped, Received, Undelivered
from mayfly.chat.records import (
    Half,
    Message,
    Record,
    participant_id,
)
from mayfly.chat.room import Room
from mayfly.config import ChatConfig
from unit.chat.town import FAST, Joint, Town, key_of


def star(*names: str, config: ChatConfig = FAST) -> tuple[Town, Room, list[Room], list[Joint]]:
    """A relay's room "hub", and clients."""
    town = Town(config)
    hub = town.room("hub", forwards=True)
    clients = [town.room(name) for name in names]
    joints = [town.join(client, hub) for client in clients]
    town.settle()
    return town, hub, clients, joints


def pair() -> tuple[Town, Room, Room, Joint]:
    """Two peers."""
    town = Town()
    first, second = town.room("ann"), town.room("ben")
    joint = town.join(first, second)
    town.settle()
    return town, first, second, joint


def received(town: Town, name: str) -> list[tuple[str, str, bool]]:
    """Who said what to a room's user."""
    return [(each.sender, each.text, each.private) for each in town.events[name] if isinstance(each, Received)]


def dropped(town: Town, name: str) -> list[str]:
    """Why a room dropped sessions."""
    return [each.why for each in town.events[name] if isinstance(each, Dropped)]


def told(town: Town, name: str) -> list[Delivered | Undelivered]:
    """What a room's user learned of its own messages."""
    return [each for each in town.events[name] if isinstance(each, Delivered | Undelivered)]


class Foreign:
    """A peer that writes what the test wants, in one session with a room."""

    def __init__(self, room: Room, session: int = 1, config: ChatConfig | None = None) -> None:
        self.room = room
        self.session = session
        self.events = room.connect(session, 0.0)

    def say(self, *records: Record | bytes, now: float = 0.0) -> None:
        data = b"".join(each if isinstance(each, bytes) else each.encode() for each in records)
        self.events += self.room.receive(self.session, Half.SAY, data, now)

    def answer(self, *records: Record) -> None:
        data = b"".join(each.encode() for each in records)
        self.events += self.room.receive(self.session, Half.BACK, data, 0.0)

    @property
    def why(self) -> str:
        """Why it was dropped."""
        return next(each.why for each in self.events if isinstance(each, Dropped))


EVE = key_of("eve")
EVES = participant_id(EVE)


def text_of(number: int, text: str = "hi", *, origin: bytes = EVES, to: str = "", sender: str = "eve") -> Message:
    """A message as a peer writes it."""
    return Message(origin, number, 1, sender, to, text)


def room_for_eve(*, forwards: bool = True) -> Room:
    """A room that a hostile peer joins."""
    return Room(key_of("a"), "ann", forwards=forwards, config=FAST)
