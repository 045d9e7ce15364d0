"""The transfers of a run as people see them: how much the receiver has on disk, how fast, how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from mayfly.runtime.amounts import amount
from mayfly.runtime.events import Event, Offered, Progress, TransferChanged
from mayfly.runtime.terminal import printable
from mayfly_cli.names import called
from mayfly_cli.units import clock

ENDED = frozenset({"completed", "declined", "cancelled", "interrupted"})
"""The states in which a transfer ends; the last can be taken up again."""


@dataclass(slots=True)
class Transfer:
    """One transfer with one peer. `number` is what people call it; sizes are bytes, the rate bytes a second."""

    transfer: str
    peer: int
    number: int
    outgoing: bool
    name: str
    who: str
    total: int | None = None
    done: int = 0
    rate: float = 0.0
    state: str = "offered"
    reason: str = ""
    began: float = 0.0
    spent: float = 0.0
    """Seconds from the acceptance to the end."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ENDED

    def left(self) -> float | None:
        """Seconds to go at the present rate, if that can be said."""
        if self.total is None or self.rate <= 0 or self.state not in ("accepted", "resumed"):
            return None
        return max(0, self.total - self.done) / self.rate

    def figures(self) -> str:
        """`43 % · 1.2 GB of 2.8 GB · 12.0 MB/s · 2:13 left`, as far as each is known."""
        of = "" if self.total is None else f" of {amount(self.total)}"
        parts = [f"{amount(self.done)}{of}"]
        if self.total:
            parts.insert(0, f"{min(self.done, self.total) * 100 // self.total} %")
        if self.state == "offered":
            parts = ["waits to be accepted"] if self.total is None else ["waits to be accepted", amount(self.total)]
        elif self.state == "paused":
            parts.append("paused")
        elif not self.ended:
            parts.append(f"{amount(self.rate)}/s")
        left = self.left()
        if left is not None:
            parts.append(f"{clock(left)} left")
        return " · ".join(parts)

    def label(self) -> str:
        """What goes where, safe to print: `film.mkv to anna`."""
        way = "to" if self.outgoing else "from"
        return f"{printable(self.name)} {way} {called(self.who)}"


class Tally:
    """All transfers of a run, numbered from 1 in the order in which they were first heard of."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._all: dict[tuple[str, int], Transfer] = {}

    def begin(
        self, transfer: str, peer: int, *, outgoing: bool, name: str, who: str, total: int | None = None
    ) -> Transfer:
        """A transfer that was offered, by us or to us. One that had ended begins again under its number."""
        known = self._all.get((transfer, peer))
        number = known.number if known else len(self._all) + 1
        self._all[transfer, peer] = Transfer(transfer, peer, number, outgoing, name, who, total)
        return self._all[transfer, peer]

    def find(self, transfer: str, peer: int) -> Transfer | None:
        """The transfer that an event speaks of."""
        return self._all.get((transfer, peer))

    def note(self, event: Event) -> Transfer | None:
        """Take in what an event says of a transfer, and give that transfer; None for any other event."""
        match event:
            case Offered():
                return self.begin(
                    event.transfer, event.peer, outgoing=False, name=event.name, who=event.sender, total=event.size
                )
            case Progress() if (found := self.find(event.transfer, event.peer)) is not None:
                found.done, found.rate = event.bytes, event.rate
                found.total = found.total if event.total is None else event.total
                return found
            case TransferChanged() if (found := self.find(event.transfer, event.peer)) is not None:
                found.state, found.reason = event.state, event.reason
                if event.state == "accepted":
                    found.began = self._now()
                elif found.ended and found.began:
                    found.spent = self._now() - found.began
                return found
            case _:
                return None

    def running(self) -> list[Transfer]:
        """Those that have not ended, the oldest first."""
        return [each for each in self._all.values() if not each.ended]

    def offered(self) -> list[Transfer]:
        """What others have offered and nobody has answered."""
        return [each for each in self.running() if not each.outgoing and each.state == "offered"]

    def named(self, which: str | None, among: list[Transfer]) -> Transfer | None:
        """Of these, the one with that number or beginning of an id; without either, the newest."""
        if which is None:
            return among[-1] if among else None
        numbered = [each for each in among if str(each.number) == which]
        return next(iter(numbered or [each for each in among if each.transfer.startswith(which)]), None)
