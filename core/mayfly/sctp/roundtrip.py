"""Round-trip times and the retransmission timeout (RFC 9260 §6.3.1)."""

from __future__ import annotations

from mayfly.config import SctpConfig


class RoundTrip:
    """Smoothed, least and latest round-trip time, in seconds, and how long to wait for an acknowledgement."""

    __slots__ = ("_backoff", "_config", "_unanswered", "_variance", "latest", "minimum", "smoothed", "timeout")

    def __init__(self, config: SctpConfig) -> None:
        self._config = config
        self._variance = 0.0
        self._backoff = 1
        self._unanswered = config.rto_initial
        self.smoothed: float | None = None
        self.minimum = float("inf")
        self.latest = 0.0
        self.timeout = min(config.rto_initial, config.rto_max)
        """How long to wait for an acknowledgement.

        The margin is never below `rto_margin`, within which a far end may delay an acknowledgement. §6.3.1's minimum
        of a whole second exists for coarse clocks, and would cost an idle-looking second for each lost last packet.
        """

    def add(self, sample: float) -> None:
        """Take a measurement."""
        self.latest = sample
        if sample < self.minimum:
            self.minimum = sample
        if self.smoothed is None:
            self.smoothed, self._variance = sample, sample / 2
        else:
            self._variance += (abs(self.smoothed - sample) - self._variance) / 4
            self.smoothed += (sample - self.smoothed) / 8
        self._unanswered = self.smoothed + max(4 * self._variance, self._config.rto_margin)
        self._wait(self._backoff)

    def back_off(self) -> None:
        """The timeout was not enough: wait twice as long (§6.3.3 E2)."""
        self._wait(self._backoff * 2)

    def settle(self) -> None:
        """Something was acknowledged: no more than the measurements say."""
        if self._backoff > 1:
            self._wait(1)

    def _wait(self, backoff: int) -> None:
        self._backoff = backoff
        self.timeout = min(self._unanswered * backoff, self._config.rto_max)
