"""One transfer as the hub and its commands see it, and its states in words."""

from __future__ import annotations

import asyncio
import math
import os
from dataclasses import dataclass, field
from typing import Any, Final

from mayfly.files.records import Kind, Offer, Reason
from mayfly.runtime.events import Offered, Progress
from mayfly.services.driving import Driver, Result
from mayfly.services.receiving import Into, Receiving
from mayfly.services.sending import Sending
from mayfly.services.speed import Speed

OFFERED: Final = "offered"
ACCEPTED: Final = "accepted"
PAUSED: Final = "paused"

REASONS: Final[dict[Reason, str]] = {
    Reason.LEAVING: "a side is leaving",
    Reason.SOURCE_CHANGED: "a file was changed while it was sent",
    Reason.SOURCE_FAILED: "a file could not be read",
    Reason.DISK_FULL: "the receiver's disk is full",
    Reason.DISK_FAILED: "the receiver could not write",
    Reason.WRONG_HASH: "the bytes that came were not those that were sent",
    Reason.EXISTS: "something of that name is there already. Only --overwrite at the receiver replaces it.",
    Reason.BAD_NAME: "a name cannot be used",
    Reason.LIMIT: "it is more than the receiver takes",
    Reason.PROTOCOL: "a side broke the rules of the transfer",
    Reason.BUSY: "this transfer is under way already",
}
"""For people, after the state."""


@dataclass(eq=False)
class Underway:
    """One transfer with one peer, from its offer to its end."""

    id: str
    peer: int
    incoming: bool
    kind: Kind
    name: str
    total: int | None
    files: int
    driver: Driver | None = None
    state: str = OFFERED
    answer: asyncio.Future[Into | Reason] | None = None
    """What the user says to an offer that came in."""
    given_up: Reason | None = None
    """Why we have ended it, which may be before it has a driver."""
    descriptor: int | None = None
    """Ours to close at the end."""
    held: tuple[bool, bool] = (False, False)
    """Whether we have paused it, and whether the peer has."""
    held_told: tuple[float, tuple[bool, bool]] = (-math.inf, (False, False))
    """When that was told last, on the loop's clock, and what."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _speed: Speed = field(default_factory=Speed)
    _rate: float = 0.0
    _told: int = -1

    @classmethod
    def of(cls, offer: Offer, peer: int, *, incoming: bool) -> Underway:
        """From what is offered."""
        return cls(offer.transfer.hex(), peer, incoming, offer.kind, offer.name, offer.total, offer.entries)

    @property
    def bytes(self) -> int:
        """On the receiver's disk."""
        return self.driver.on_disk if isinstance(self.driver, Sending | Receiving) else 0

    def offered(self, sender: str) -> Offered:
        """The event that announces it."""
        only_files = self.kind not in (Kind.MIXED, Kind.DIRECTORY)
        return Offered(self.id, self.peer, sender, self.kind.word, self.name, self.total, self.files, only_files)

    def progress(self, now: float, *, last: bool = False) -> Progress | None:
        """The event for now, if anything has moved or it is the last one."""
        if self.state == OFFERED:
            return None
        done = self.bytes
        self._rate = self._speed.update(done, now)
        if done == self._told and not last:
            return None
        self._told = done
        return Progress(self.id, self.peer, done, self.total, round(self._rate, 1))

    def status(self) -> dict[str, Any]:
        """As `mayfly status` has it."""
        return {
            "transfer": self.id,
            "peer": self.peer,
            "direction": "in" if self.incoming else "out",
            "kind": self.kind.word,
            "name": self.name,
            "bytes": self.bytes,
            "total": self.total,
            "files": self.files,
            "rate": round(self._rate, 1),
            "state": self.state,
        }

    def decide(self, answer: Into | Reason) -> bool:
        """Answer an offer that came in. Tells whether it was still open."""
        if self.answer is None or self.answer.done():
            return False
        self.answer.set_result(answer)
        return True

    def give_up(self, reason: Reason) -> None:
        """End it from our side: decline what was not accepted, else cancel."""
        self.given_up = reason
        if not self.decide(reason) and self.driver is not None:
            self.driver.cancel(reason)

    def close(self) -> None:
        """It has ended."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
        self.ended.set()


def why(result: Result | None) -> str:
    """A result's reason in words; with a full stop at the end where they say what to do."""
    if result is None or (result.reason is None and result.outcome.value == "interrupted"):
        return "the link was lost"
    if result.error is not None:
        message, hint = result.error.message, result.error.hint
        return f"{message}. {hint}" if hint else str(message)
    if result.reason is Reason.USER:
        return "by this side" if result.by_us else "by the other side"
    return "" if result.reason is None else REASONS[result.reason]
