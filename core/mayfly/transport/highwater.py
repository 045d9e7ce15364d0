"""How much may wait in a link before its network: a little more than leaves before the session is asked again.

What waits there can no longer be overtaken, by a keystroke for instance. So the mark follows the rate at which the link
takes bytes; in a link that carries little it is low, and it grows as fast as a transfer does.
"""

from __future__ import annotations

from mayfly.config import KIB

LEAST = 32 * KIB
"""Bytes that may always wait: two messages of the multiplexer."""

SPAN = 0.002
"""Seconds of the rate that may wait. Event loops wake by the millisecond."""

_BATCH = 64 * KIB
_SOON = 0.025
"""Bytes that may wait where they leave in so many seconds, which nobody feels. One of fifty links of a relay that does
all it can carries 2 to 3 MB/s; to be woken for each half of 32 KiB would cost it a third more processor time."""

_WINDOW = 0.02
"""Seconds over which the rate is taken."""

_KEPT = 0.8
"""What is left of a rate after a window in which less has moved."""


class HighWater:
    """The mark of one link, between `least` and `most` bytes. Times are seconds on the caller's clock."""

    __slots__ = ("_begin", "_least", "_most", "_rate", "_span", "_total", "mark")

    def __init__(self, least: int, most: int, now: float, span: float = SPAN) -> None:
        """`span` is how many seconds of the rate may wait."""
        self._span = span
        self._least = min(least, most)
        self._most = most
        self._begin = now
        self._total = 0
        self._rate = 0.0
        self.mark = self._least
        """Bytes above which nothing more should be handed over."""

    def moved(self, total: int, now: float) -> None:
        """So many bytes have left for the network since the start."""
        span, moved = now - self._begin, total - self._total
        if span >= _WINDOW:
            self._begin, self._total = now, total
            self._follow(max(moved / span, self._rate * _KEPT))
        elif moved > self._rate * _WINDOW:
            self._follow(moved / _WINDOW)  # a burst counts while it lasts, for afterwards it is too late

    def _follow(self, rate: float) -> None:
        self._rate = rate
        wanted = max(rate * self._span, min(rate * _SOON, _BATCH))
        self.mark = max(self._least, min(self._most, int(wanted)))
