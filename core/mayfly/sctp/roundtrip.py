"""Round-trip times and the retransmission timeout (RFC 9260 §6.3.1)."""

from __future__ import annotations

from mayfly.config import SctpConfig


class RoundTrip:
    """Smoothed, least and latest round-trip time, in seconds, and how long to wait for an acknowledgement."""

    __slots__ = ("_backoff", "_config", "_variance", "latest", "minimum", "smoothed")

    def __init__(self, config: SctpConfig) -> None:
        self._config = config
        self._variance = 0.0
        self._backoff = 1
        self.smoothed: float | None = None
        self.minimum = float("inf")
        self.latest = 0.0

    def add(self, sample: float) -> None:
        """Take a measurement."""
        self.latest = sample
        self.minimum = min(self.minimum, sample)
        if self.smoothed is None:
            self.smoothed, self._variance = sample, sample / 2
        else:
            self._variance += (abs(self.smoothed - sample) - self._variance) / 4
            self.smoothed += (sample - self.smoothed) / 8

    def back_off(self) -> None:
        """The timeout was not enough: wait twice as long (§6.3.3 E2)."""
        self._backoff *= 2

    def settle(self) -> None:
        """Something was acknowledged: no more than the measurements say."""
        self._backoff = 1

    @property
    def timeout(self) -> float:
        """How long to wait for an acknowledgement.

        The margin is never below `rto_margin`, within which a far end may delay an acknowledgement. §6.3.1's minimum
        of a whole second exists for coarse clocks, and would cost an idle-looking second for each lost last packet.
        """
        if self.smoothed is None:
            timeout = self._config.rto_initial
        else:
            timeout = self.smoothed + max(4 * self._variance, self._config.rto_margin)
        return min(timeout * self._backoff, self._config.rto_max)
