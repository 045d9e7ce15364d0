"""How fast one participant may talk. Nothing is dropped for being fast: its stream is read later instead."""

from __future__ import annotations

from mayfly.bucket import Bucket


class Pace(Bucket):
    """A bucket that is waited for."""

    __slots__ = ()

    def wait(self, now: float) -> float:
        """Seconds until something may be spent; 0.0 at once."""
        # A whole one, so that a wake-up is worth it; the slack keeps rounding from asking for one wake-up more.
        level = self.level(now)
        return (1.0 - level) / self._rate if level < 1.0 - 1e-6 else 0.0
