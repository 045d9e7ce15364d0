"""A bound on a flow of bytes: a token bucket. Pure; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

_QUANTUM_SECONDS = 0.01
_QUANTUM_BYTES = 16 * 1024

_TICK = 0.001
"""Seconds more than a wait needs. A timer comes a rounding error too early, and uvloop's up to a millisecond: whoever
then waits for what is still missing is woken again and again without a pause."""


class ByteLimiter:
    """Lets `rate` bytes a second through, and `burst` bytes at once after a pause. Several flows may share one.

    Where there is no limit, there is no limiter. `now` is monotonic seconds; it may stand still, and going back counts
    as standing still. It counts anything that can be counted, datagrams for instance, as well as bytes.
    """

    def __init__(self, rate: float, burst: float) -> None:
        if not rate > 0 or not burst >= 1:
            raise ValueError("the rate must be above 0 and the burst at least 1")
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled_at: float | None = None
        # Less than this is not worth a wake-up: 10 ms at the rate, at most one message.
        self._quantum = max(1.0, min(burst, rate * _QUANTUM_SECONDS, _QUANTUM_BYTES))

    def available(self, now: float) -> int:
        """How many bytes may go now. 0 until a worthwhile number has gathered, so that trickles form no tiny frames."""
        self._fill(now)
        return int(self._tokens) if self._tokens >= self._quantum else 0

    def consume(self, n: int, now: float) -> None:
        """Count `n` bytes that went. More than was available is paid back by a longer wait."""
        self._fill(now)
        self._tokens -= n

    def wait(self, now: float) -> float:
        """Seconds after which available() is above 0, on a clock that tells the millisecond; 0.0 when it is."""
        self._fill(now)
        missing = self._quantum - self._tokens
        return missing / self._rate + _TICK if missing > 0 else 0.0

    def _fill(self, now: float) -> None:
        if self._filled_at is None:
            self._filled_at = now
        elif now > self._filled_at:
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
            self._filled_at = now


@dataclass(frozen=True, slots=True)
class Rates:
    """Limits in bytes a second for each direction, possibly shared by several sessions."""

    sending: ByteLimiter
    receiving: ByteLimiter
