"""How fast one participant may talk. Nothing is dropped for being fast: its stream is read later instead."""

from __future__ import annotations


class Pace:
    """A bucket that refills at `rate` a second up to `burst`. What overdraws it is paid back by waiting."""

    __slots__ = ("_burst", "_filled_at", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled_at: float | None = None

    def wait(self, now: float) -> float:
        """Seconds until something may be spent; 0.0 at once. A clock that goes back counts as standing still."""
        if self._filled_at is None:
            self._filled_at = now
        elif now > self._filled_at:
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now
        # A whole one, so that a wake-up is worth it; the slack keeps rounding from asking for one wake-up more.
        return (1.0 - self._tokens) / self._rate if self._tokens < 1.0 - 1e-6 else 0.0

    def spend(self, amount: float) -> None:
        """Count something that happened."""
        self._tokens -= amount
