"""How much may be under way on a link whose own sender knows no restraint, found out by PINGs. Time is an argument.

Such a sender (libwebrtc's dcSCTP) grows its window until a queue on the path overflows, and then needs a round trip for
each lost packet: minutes. A session that holds itself back never gets there, for a window that is not full does not
grow. What may be under way is what the path has shown to carry in a round trip, and somewhat more, by which it is seen
whether the path carries more. The idea is BBR's.

A PING is sent for every seventh of that. Its PONG tells that what left before it has arrived, so also the rate, and how
long that took. The shortest round trip is the path's without a queue; where nothing as short was seen for ten seconds,
less is sent until the queue is gone and it has been measured anew.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from mayfly.config import KIB
from mayfly.wire.frames import OPAQUE_SIZE

LEAST = 128 * KIB
"""Bytes that may always be under way: ten times what SCTP begins with."""

_MORE, _LEAST_MORE = 0.4, 0.07
"""Round trips of the rate, and seconds of it at least, that may wait besides. Most queues on paths hold a tenth of a
second; and busy machines answer late."""

_PINGS = 7
"""In what may be under way, and at most; a peer answers no more than eight that come together."""

_TICK = 0.001
"""Seconds: no rate is taken over less, whatever the clock says."""

_AGAIN = 1.0
"""Seconds without an answer after which the newest PING is sent again: a peer that had no room may have dropped it."""

_VALID = 10.0
"""Seconds for which a shortest round trip is believed."""

_ABOUT = 1.1
"""A round trip of so many times the shortest one says that it is still right."""

_RISE, _FALL = 1 / 3, 1 / 32
"""How much of a higher and of a lower rate counts at once: what comes in clumps seems fast for a moment."""

_OURS = 1 << (8 * OPAQUE_SIZE - 1)
"""What sets our opaque bytes apart from those of `liveness.py`."""


@dataclass(frozen=True, slots=True)
class _Ping:
    opaque: bytes
    sent_at: float
    position: int
    """Bytes that left before it."""
    arrived: int
    """Of them, those that were known to have arrived, and since when."""
    arrived_at: float
    drained: bool
    """Sent while little was under way on purpose."""


class Restraint:
    """One direction of one session. A position is how many bytes of streams have been handed to the link."""

    def __init__(self) -> None:
        self._pings: deque[_Ping] = deque()
        self._count = 0
        self._arrived = 0
        self._arrived_at = 0.0
        self._asked = 0  # the position of the last PING, and when it was sent
        self._asked_at = 0.0
        self._steady_at = 0  # what left before this position says nothing of a lower rate
        self._rate = 0.0
        self._shortest: float | None = None
        self._shortest_at = 0.0
        self._draining = False
        self.window = LEAST
        """Bytes that may be under way."""

    def full(self, position: int) -> bool:
        """Whether nothing more should leave before the next PONG, of which one is then on its way or due."""
        return self._shortest is not None and position - self._arrived >= self.window

    def due(self, position: int) -> bool:
        """Whether to send a PING now, with `ping`."""
        if self._shortest is None or len(self._pings) >= _PINGS:
            return False
        return position - self._asked >= self.window // _PINGS

    def overdue(self, position: int, now: float) -> bytes | None:
        """The opaque bytes of a PING to send again now, where everything waits for its answer."""
        if not self._pings or now - self._asked_at < _AGAIN or not self.full(position):
            return None
        self._asked_at = now
        return self._pings[-1].opaque

    def ping(self, position: int, now: float) -> bytes:
        """The opaque bytes of a PING that leaves now, before anything beyond this position."""
        if not self._pings:
            self._steady_at = position  # nobody knows when what left since the last PING did
        if not self._draining and now - self._shortest_at >= _VALID:
            self._draining = True
            self.window //= 3
        drained = self._draining and position - self._arrived <= self.window
        self._count += 1
        opaque = (_OURS | self._count).to_bytes(OPAQUE_SIZE, "big")
        self._pings.append(_Ping(opaque, now, position, self._arrived, self._arrived_at, drained))
        self._asked, self._asked_at = position, now
        return opaque

    def pong(self, opaque: bytes, now: float) -> None:
        """A PONG came. It answers older PINGs too; one that answers nothing is ignored."""
        if all(opaque != ping.opaque for ping in self._pings):
            return
        while (ping := self._pings.popleft()).opaque != opaque:
            pass
        rate = (ping.position - ping.arrived) / max(now - ping.arrived_at, _TICK)
        if rate > self._rate:
            self._rate += (rate - self._rate) * _RISE
        elif ping.arrived >= self._steady_at and 2 * (ping.position - ping.arrived) >= self.window:
            self._rate += (rate - self._rate) * _FALL  # the application had enough to send
        arrived, self._arrived, self._arrived_at = ping.position - self._arrived, ping.position, now
        if ping.drained and self._draining:
            self._draining = False
            self._steady_at = self._asked
            self._shortest, self._shortest_at = now - ping.sent_at, now
        else:
            self.measured(now - ping.sent_at, now)
        if self._shortest is not None and not self._draining:
            enough = int(self._rate * (self._shortest + max(_MORE * self._shortest, _LEAST_MORE)))
            self.window = max(LEAST, min(enough, self.window + arrived))  # no burst: at most twice in a round trip

    def measured(self, round_trip: float, now: float) -> None:
        """A round trip took so long, queues included."""
        if self._shortest is None:
            self._shortest, self._shortest_at = round_trip, now
        elif round_trip <= self._shortest * _ABOUT:
            self._shortest, self._shortest_at = min(round_trip, self._shortest), now
