"""Messages on their way: to whom each goes, what has become of it at each, and who wants to know that.

A process takes charge of the messages of its own user and, when it forwards, of its neighbours'. Every change of a fate
is told once, to our user as an event or to the author's process as a RECEIPT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from mayfly.chat.events import Delivered, Event, Undelivered
from mayfly.chat.fates import NEXT, NOT_KEPT, Fate
from mayfly.chat.neighbour import Key, Leg, Neighbour
from mayfly.chat.records import Half, Message, Receipt, Record, Taken
from mayfly.config import ChatConfig


@dataclass(slots=True)
class Dispatch:
    """One message in our charge. `source` is the neighbour that it came from, None for our user."""

    source: Neighbour | None
    fates: dict[str, Fate]
    """By the names that we gave."""
    legs: int = 0
    """Ways on which something can still change."""


@dataclass
class Post:
    """All messages in one room's charge."""

    config: ChatConfig
    tell: Callable[[Event], None]
    write: Callable[[Neighbour, Half, Record], None]
    _dispatches: dict[Key, Dispatch] = field(default_factory=dict[Key, Dispatch])

    def __len__(self) -> int:
        """Messages that are kept, or of which something may still be asked."""
        return len(self._dispatches)

    def send(
        self,
        message: Message,
        source: Neighbour | None,
        targets: Iterable[tuple[Neighbour, str]],
        known: dict[str, Fate],
    ) -> None:
        """Take charge of a message.

        `targets` are ways, each with the name there or "" for everybody there; `known` are fates clear already.
        """
        key = message.origin, message.id
        dispatch = self._dispatches[key] = Dispatch(source, dict(known))
        size = len(message.text.encode())
        for neighbour, to in targets:
            # Until the neighbour says whom a message to everybody is for, it is for all whom it has announced.
            names = [to] if to else neighbour.everybody()
            fate = self._start(dispatch, replace(message, to=to), size, neighbour, names)
            dispatch.fates.update((neighbour.alias(name), fate) for name in names)
        if source is not None:
            self._write(source, Half.BACK, Taken(*key, tuple(dispatch.fates.items())))
        else:
            for name, fate in dispatch.fates.items():
                if fate is not Fate.HELD:
                    self._tell(key, dispatch, name, fate, certain=True)
        self._settle_if_over(key, dispatch)

    def __contains__(self, key: Key) -> bool:
        """Whether this message is kept, or something may still be asked of it."""
        return key in self._dispatches

    def again(self, key: Key, source: Neighbour) -> None:
        """A message came once more, because its author's link was lost: say all that is known of it."""
        dispatch = self._dispatches.get(key)
        if dispatch is not None and dispatch.legs:
            dispatch.source = source  # who may have been forgotten in between
        self._write(source, Half.BACK, Taken(*key, tuple(dispatch.fates.items()) if dispatch else ()))

    def taken(self, neighbour: Neighbour, record: Taken) -> None:
        """A neighbour says whom a message is for."""
        leg = neighbour.outbox.get((record.origin, record.id))
        if leg is None:
            return
        fates = {self._target(neighbour, name): fate for name, fate in record.fates if name != neighbour.you}
        # What was sent once is new there, and who is AWAY or missing in the first answer had not been sent it. An empty
        # answer says nothing of the kind: the message is not remembered.
        fresh = leg.writes == 1 and not leg.whole and bool(record.fates)
        if not leg.whole:
            for name in fates.keys() - leg.fates.keys():
                leg.fates[name] = Fate.HELD
            leg.whole = True
        for name, fate in fates.items():
            self._change(neighbour, leg, name, fate, unsent=fresh and fate is Fate.AWAY)
        for name in leg.fates.keys() - fates.keys():
            # They had left before it came or, unless it is new there, it is not remembered any more.
            self._change(neighbour, leg, name, Fate.GONE, unsent=fresh)
        self._finish_if_over(neighbour, leg)

    def receipt(self, neighbour: Neighbour, record: Receipt) -> None:
        """A neighbour says what has become of a message."""
        leg = neighbour.outbox.get((record.origin, record.id))
        if leg is not None:
            self._change(neighbour, leg, self._target(neighbour, record.name), record.fate)
            self._finish_if_over(neighbour, leg)

    def lost(self, neighbour: Neighbour) -> None:
        """A neighbour's link was lost: what it has not answered is kept."""
        for leg in neighbour.outbox.values():
            for name in leg.fates:
                self._change(neighbour, leg, name, Fate.AWAY)

    def resend(self, neighbour: Neighbour) -> None:
        """A neighbour is back: send in order what it has not answered."""
        for leg in neighbour.outbox.values():
            self._send(neighbour, leg)

    def gone(self, neighbour: Neighbour) -> None:
        """A neighbour will not come back: what was for it is given up, and what it may ask about forgotten."""
        for leg in list(neighbour.outbox.values()):
            leg.whole = True
            for name in leg.fates:
                self._change(neighbour, leg, name, Fate.GONE)
            self._finish_if_over(neighbour, leg)
        neighbour.forgotten = True
        for key in neighbour.settled:
            del self._dispatches[key]
        neighbour.settled.clear()

    def _start(
        self, dispatch: Dispatch, message: Message, size: int, neighbour: Neighbour, names: Iterable[str]
    ) -> Fate:
        if not neighbour.has_room(message.origin, size, self.config):
            return Fate.FULL
        fate = Fate.HELD if neighbour.line is not None else Fate.AWAY
        leg = Leg(message, size, dict.fromkeys(names, fate))
        neighbour.add(leg)
        dispatch.legs += 1
        self._send(neighbour, leg)
        return fate

    def _send(self, neighbour: Neighbour, leg: Leg) -> None:
        if neighbour.line is not None:
            leg.writes += 1
        self._write(neighbour, Half.SAY, leg.message)

    def _target(self, neighbour: Neighbour, name: str) -> str:
        return name if neighbour.speaks_for_others else neighbour.raw

    def _change(self, neighbour: Neighbour, leg: Leg, name: str, fate: Fate, *, unsent: bool = False) -> None:
        if fate not in NEXT.get(leg.fates.get(name, Fate.GONE), frozenset()):
            return
        leg.fates[name] = fate
        dispatch = self._dispatches[leg.key]
        alias = neighbour.alias(name)
        dispatch.fates[alias] = fate
        self._tell(leg.key, dispatch, alias, fate, certain=unsent or not leg.writes or fate in NOT_KEPT)

    def _tell(self, key: Key, dispatch: Dispatch, name: str, fate: Fate, *, certain: bool) -> None:
        if dispatch.source is not None:
            self._write(dispatch.source, Half.BACK, Receipt(*key, name, fate))
        elif fate is Fate.DELIVERED:
            self.tell(Delivered(key[1], name))
        else:
            self.tell(Undelivered(key[1], name, fate, certain))

    def _finish_if_over(self, neighbour: Neighbour, leg: Leg) -> None:
        if leg.over:
            neighbour.remove(leg)
            dispatch = self._dispatches[leg.key]
            dispatch.legs -= 1
            self._settle_if_over(leg.key, dispatch)

    def _settle_if_over(self, key: Key, dispatch: Dispatch) -> None:
        if dispatch.legs:
            return
        source = dispatch.source
        if source is None or source.forgotten:
            del self._dispatches[key]
            return
        source.settled.append(key)
        # An author has no more messages open than wait for us there, so it can ask about no older one.
        while len(source.settled) > self.config.max_waiting:
            del self._dispatches[source.settled.popleft()]

    def _write(self, neighbour: Neighbour, half: Half, record: Record) -> None:
        if neighbour.line is not None:
            self.write(neighbour, half, record)
