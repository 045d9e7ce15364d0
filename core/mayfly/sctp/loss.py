"""Loss detection by the order in which packets left (as in RFC 8985 and RFC 9002 §6.1).

Every transmission has a number. When something sent later is acknowledged, what left earlier and is still missing
counts as lost once it lies `threshold` transmissions back, or has been missing for longer than reordering explains. So
retransmissions that are lost again are noticed too, which RFC 9260's counting of reports by TSN cannot do.

`in_order` holds what is outstanding by that number. It is looked at from the old end alone, up to the first chunk that
may still arrive: each transmission is passed over once, whatever the window.
"""

from __future__ import annotations

from collections import deque
from math import inf

from mayfly.sctp.flight import IN_FLIGHT, Sent
from mayfly.sctp.roundtrip import RoundTrip

_THRESHOLD = 3
_MAX_THRESHOLD = 300
_GRANULARITY = 0.001
_SLACK = 9 / 8
"""How many round trips a packet may take (RFC 9002 §6.1.2)."""


class LossDetection:
    """What left, what of it is known to have arrived, and what therefore must be lost."""

    __slots__ = ("_in_order", "_newest", "_round_trip", "_threshold", "deadline")

    def __init__(self, round_trip: RoundTrip) -> None:
        self._round_trip = round_trip
        self._in_order: deque[Sent] = deque()
        self._newest = -1
        self._threshold = _THRESHOLD
        self.deadline = inf
        """When what is missing but not lost yet will be; infinite where nothing is."""

    def sent(self, chunk: Sent) -> None:
        """A chunk has left, for the first time or again."""
        self._in_order.append(chunk)

    def acknowledged(self, chunk: Sent) -> None:
        """A chunk has arrived for certain in its last transmission."""
        if chunk.order > self._newest:
            self._newest = chunk.order

    def spurious(self) -> None:
        """Something arrived that had been taken for lost: this path reorders more than we allowed for."""
        self._threshold = min(2 * self._threshold, _MAX_THRESHOLD)

    def detect(self, reported: int, now: float) -> list[Sent]:
        """What counts as lost as of now, in the order in which it left. The caller changes its state.

        Of TSNs above `reported` nothing is known: a SACK names only as many as fit into it (RFC 9260 §6.7).
        """
        self.deadline = inf
        lost: list[Sent] = []
        waiting = self._in_order
        newest = self._newest
        overtaken = newest - self._threshold
        allowed: float | None = None  # mostly nobody asks
        while waiting:
            chunk = waiting[0]
            if chunk.state == IN_FLIGHT:
                if chunk.order >= newest or chunk.tsn > reported:
                    break
                if allowed is None:
                    allowed = self._allowed()
                due = chunk.departure.time + allowed
                if chunk.order > overtaken and due > now:
                    self.deadline = due
                    break
                lost.append(chunk)
            waiting.popleft()
        return lost

    def _allowed(self) -> float:
        """Seconds for which something may be missing."""
        return max(_SLACK * max(self._round_trip.smoothed or 0.0, self._round_trip.latest), _GRANULARITY)

    def give_up(self) -> list[Sent]:
        """After a timeout: everything in flight counts as lost, in the order in which it left."""
        lost = [chunk for chunk in self._in_order if chunk.state == IN_FLIGHT]
        self._in_order.clear()
        self.deadline = inf
        return lost

    def last(self) -> Sent | None:
        """The chunk sent last of those in flight, taken out, to be sent again as a probe (RFC 8985 §7)."""
        waiting = self._in_order
        while waiting and waiting[-1].state != IN_FLIGHT:
            waiting.pop()
        return waiting.pop() if waiting else None
