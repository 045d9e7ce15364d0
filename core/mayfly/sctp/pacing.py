"""Pacing: what may leave now at a given rate, in bursts coarse enough that timers cost nothing."""

from __future__ import annotations

from math import inf

_BURST_PACKETS = 10
_BURST_TIME = 0.002
"""Seconds of a rate that may leave at once. Event loops wake by the millisecond."""

_MOST_LATE = 0.025
"""Seconds that are made up for, where a busy machine asks later than it was told to."""


class Pacer:
    """A bucket of bytes that fills at the rate and holds one burst."""

    __slots__ = ("_bucket", "_last")

    def __init__(self) -> None:
        self._bucket: float | None = None  # full, until something has been sent at a rate
        self._last = 0.0

    def allowance(self, rate: float, packet: int, now: float, due: float = inf) -> float:
        """Bytes that may leave now. `rate` is bytes a second, `due` what `ready` said where that was waited for."""
        burst = _burst(rate, packet)
        if self._bucket is None:
            self._bucket = burst
        else:
            # What could have left while we were asleep may leave now. Otherwise an event loop that wakes every 10 ms
            # would send a burst each time, a fifth of the rate, and acknowledgements of so little would lower that.
            most = max(burst, burst / 2 + rate * min(now - due, _MOST_LATE)) if now > due else burst
            filled = self._bucket + rate * (now - self._last)
            self._bucket = filled if filled < most else most
        self._last = now
        return self._bucket

    def spend(self, sent: int) -> None:
        """So many bytes have left. The last packet may overdraw the bucket."""
        if self._bucket is not None:
            self._bucket -= sent

    def ready(self, rate: float, packet: int) -> float:
        """When half a burst may leave again."""
        return self._last + max(0.0, _burst(rate, packet) / 2 - (self._bucket or 0.0)) / rate


def _burst(rate: float, packet: int) -> float:
    least, usual = _BURST_PACKETS * packet, rate * _BURST_TIME
    return usual if usual > least else least
