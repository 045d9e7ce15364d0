"""A participant at the other end of one of our sessions: its names, and what waits for it, there or away."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from mayfly.chat.fates import OPEN, Fate
from mayfly.chat.line import Line
from mayfly.chat.names import NameBook
from mayfly.chat.records import MAX_NAMES, ChatError, Message
from mayfly.config import ChatConfig

Key = tuple[bytes, int]
"""A message: its author's participant id, and the author's number for it."""

_MAX_ALIASES: Final = 4 * MAX_NAMES


@dataclass(slots=True)
class Leg:
    """One message on its way to one neighbour. `fates` has the neighbour's own names for those whom it is for."""

    message: Message
    size: int
    fates: dict[str, Fate] = field(default_factory=dict[str, Fate])
    whole: bool = False
    """Whether the neighbour has said whom it is for."""
    writes: int = 0
    """How often it was sent. Unless never, it may have arrived."""

    @property
    def key(self) -> Key:
        """The message's author and number."""
        return self.message.origin, self.message.id

    @property
    def over(self) -> bool:
        """Whether nothing more can change."""
        return self.whole and OPEN.isdisjoint(self.fates.values())


class Neighbour:
    """One participant and what we keep for it. `raw` is its name as it gave it, `name` the one that we gave it.

    `speaks_for_others` when it forwards and we do not: then there are people behind it, under names that it announces.
    """

    def __init__(self, identity: bytes, raw: str, book: NameBook, *, forwards: bool, speaks_for_others: bool) -> None:
        self.id = identity
        self.raw = raw
        self.name = book.claim(raw)
        self.forwards = forwards
        self.speaks_for_others = speaks_for_others
        self.you = ""
        self.session = 0
        self.line: Line | None = None
        self.away_since: float | None = None
        self.forgotten = False
        self.outbox: dict[Key, Leg] = {}
        self.settled: deque[Key] = deque()
        """Messages of its own, all of whose fates are known, the oldest first: it may ask about them once more."""
        self._book = book
        self._aliases: dict[str, str] = {}
        self._present: dict[str, None] = {}
        self._shares: dict[bytes, tuple[int, int]] = {}

    # Names of people behind it

    def alias(self, raw: str) -> str:
        """Our name for whom the neighbour calls `raw`."""
        if raw == self.raw or not self.speaks_for_others:
            return self.name
        if raw not in self._aliases:
            if len(self._aliases) >= _MAX_ALIASES:
                oldest = next(each for each in self._aliases if each not in self._present)
                self._book.release(self._aliases.pop(oldest))
            self._aliases[raw] = self._book.claim(raw)
        return self._aliases[raw]

    def raw_of(self, name: str) -> str | None:
        """What the neighbour calls whom we call `name`; None when that is nobody there."""
        if name == self.name:
            return self.raw
        return next((raw for raw, alias in self._aliases.items() if alias == name), None)

    def everybody(self) -> list[str]:
        """The neighbour's own names for itself and for those who are there, behind it."""
        return [self.raw, *self._present]

    def others(self) -> list[str]:
        """Our names for those who are there, behind the neighbour."""
        return [self.alias(raw) for raw in self._present]

    def joined(self, raw: str) -> str | None:
        """Somebody is there: our name for them, None when that is no news. Raises ChatError when it is one too many."""
        if not self.speaks_for_others or raw in self._present or raw in (self.raw, self.you):
            return None
        if len(self._present) >= MAX_NAMES:
            raise ChatError("too many people are in the room")
        self._present[raw] = None
        return self.alias(raw)

    def left(self, raw: str) -> str | None:
        """Somebody is there no more: our name for them, None when that is no news."""
        if raw not in self._present:
            return None
        name = self.alias(raw)
        del self._present[raw]
        return name

    def missing_from(self, roster: tuple[str, ...]) -> list[str]:
        """The neighbour's names of those who are not in a new roster of it."""
        return [raw for raw in self._present if raw not in roster]

    def release_names(self) -> None:
        """Give up all its names."""
        for name in (self.name, *self._aliases.values()):
            self._book.release(name)
        self._aliases.clear()
        self._present.clear()

    # What waits for it

    def has_room(self, author: bytes, size: int, config: ChatConfig) -> bool:
        """Whether a further message of `author` may wait for it."""
        count, used = self._shares.get(author, (0, 0))
        total = sum(share[1] for share in self._shares.values())
        return (
            len(self.outbox) < config.max_waiting
            and count < config.max_share
            and total + size <= config.max_waiting_bytes
            and used + size <= config.max_waiting_bytes // 2
        )

    def add(self, leg: Leg) -> None:
        """Keep a message until its fate is known."""
        self.outbox[leg.key] = leg
        count, used = self._shares.get(leg.message.origin, (0, 0))
        self._shares[leg.message.origin] = count + 1, used + leg.size

    def remove(self, leg: Leg) -> None:
        """Its fate is known."""
        del self.outbox[leg.key]
        count, used = self._shares.pop(leg.message.origin)
        if count > 1:
            self._shares[leg.message.origin] = count - 1, used - leg.size
