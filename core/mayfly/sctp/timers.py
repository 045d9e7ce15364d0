"""The sender's deadlines: T3 (RFC 9260 §6.3.2), the probe of the tail (RFC 8985 §7), and pacing."""

from __future__ import annotations

from math import inf

from mayfly.config import SctpConfig
from mayfly.sctp.roundtrip import RoundTrip


class Timers:
    """Absolute times, infinite where nothing is waited for.

    `t3` is when silence means loss, `probe` when it asks for a question before that, and `paced` when pacing lets the
    next packets go.
    """

    __slots__ = ("_asked", "_config", "_round_trip", "paced", "probe", "t3")

    def __init__(self, round_trip: RoundTrip, config: SctpConfig) -> None:
        self._round_trip = round_trip
        self._config = config
        self._asked = False
        self.t3 = self.probe = self.paced = inf

    def left(self, now: float) -> None:
        """Something has left."""
        self.expect(now)
        self._arm_probe(now)

    def expect(self, now: float) -> None:
        """An answer is due, if not to this, then to what left before."""
        if self.t3 == inf:
            self.t3 = now + self._round_trip.timeout

    def progressed(self, now: float, *, outstanding: bool) -> None:
        """Something was acknowledged: the deadlines begin anew, or end."""
        self._asked = False
        self.t3 = self.probe = inf
        if outstanding:
            self.t3 = now + self._round_trip.timeout
            self._arm_probe(now)

    def asked(self, now: float) -> None:
        """The probe is about to leave. There is one until the next acknowledgement."""
        self.probe = inf
        self._asked = True
        self.t3 = now + self._round_trip.timeout

    def expired(self, now: float, *, outstanding: bool) -> None:
        """T3 is over, and its timeout has been backed off."""
        self.probe = inf
        self.t3 = now + self._round_trip.timeout if outstanding else inf

    def next(self) -> float:
        """The earliest."""
        due = self.t3 if self.t3 < self.probe else self.probe
        return due if due < self.paced else self.paced

    def _arm_probe(self, now: float) -> None:
        smoothed = self._round_trip.smoothed
        if smoothed is None or self._asked:
            self.probe = inf
        else:
            # Far ends may delay the acknowledgement of a single packet.
            self.probe = now + 2 * smoothed + self._config.probe_margin
