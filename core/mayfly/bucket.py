"""A token bucket, beneath whatever here is bounded by a rate: what a peer says in chat, asks for, or moves."""

from __future__ import annotations


class Bucket:
    """Full at first, and refilled at `rate` a second up to `burst`. What overdraws it is paid back by time.

    Pure: `now` is seconds of any one clock. It may stand still, and going back counts as standing still.
    """

    __slots__ = ("_burst", "_filled_at", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._filled_at: float | None = None

    def level(self, now: float) -> float:
        """What is in it, below zero while it is overdrawn."""
        if self._filled_at is None:
            self._filled_at = now
        elif now > self._filled_at:
            filled = self._tokens + (now - self._filled_at) * self._rate
            self._tokens = filled if filled < self._burst else self._burst
            self._filled_at = now
        return self._tokens

    def spend(self, amount: float) -> None:
        """Take something out, in it or not."""
        self._tokens -= amount
