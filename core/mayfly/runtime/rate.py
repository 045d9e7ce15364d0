"""A bound on a flow of bytes. Pure; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

from mayfly.bucket import Bucket

_QUANTUM_SECONDS = 0.01
_QUANTUM_BYTES = 16 * 1024

_TICK = 0.002
"""Seconds more than a wait needs. A timer comes a rounding error too early, and uvloop's up to a millisecond besides:
whoever then waits for what is still missing is woken again and again without a pause."""


class ByteLimiter(Bucket):
    """Lets `rate` bytes a second through, and `burst` bytes at once after a pause. Several flows may share one.

    Where there is no limit, there is no limiter. It counts anything that can be counted, datagrams for instance, as
    well as bytes.
    """

    def __init__(self, rate: float, burst: float) -> None:
        if not rate > 0 or not burst >= 1:
            raise ValueError("the rate must be above 0 and the burst at least 1")
        super().__init__(rate, burst)
        # Less than this is not worth a wake-up: 10 ms at the rate, at most one message.
        self._quantum = max(1.0, min(burst, rate * _QUANTUM_SECONDS, _QUANTUM_BYTES))

    def available(self, now: float) -> int:
        """How many bytes may go now. 0 until a worthwhile number has gathered, so that trickles form no tiny frames."""
        level = self.level(now)
        return int(level) if level >= self._quantum else 0

    def consume(self, n: int, now: float) -> None:
        """Count `n` bytes that went. More than was available is paid back by a longer wait."""
        self.level(now)
        self._tokens -= n

    def wait(self, now: float) -> float:
        """Seconds after which available() is above 0, on a clock that tells the millisecond; 0.0 when it is."""
        missing = self._quantum - self.level(now)
        return missing / self._rate + _TICK if missing > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Limits in bytes a second for each direction, possibly shared by several sessions."""

    sending: ByteLimiter
    receiving: ByteLimiter
