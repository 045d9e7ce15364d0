"""Chunks that are sent again until they are answered: T1 and T2 (RFC 9260 §5.1, §9.2)."""

from __future__ import annotations

from mayfly.config import SctpConfig


class Retry:
    """What to send again, and when. `alone` tells that it is a whole packet."""

    __slots__ = ("_config", "_timeout", "_tries", "alone", "at", "what")

    def __init__(self, what: bytes, now: float, config: SctpConfig, *, alone: bool) -> None:
        self.what = what
        self.alone = alone
        self._config = config
        self._timeout = config.rto_initial
        self._tries = 0
        self.at = now + self._timeout

    def again(self, now: float) -> bool:
        """It is time. False when it has been sent often enough."""
        self._tries += 1
        self._timeout = min(2 * self._timeout, self._config.rto_max)
        self.at = now + self._timeout
        return self._tries <= self._config.max_handshakes
