"""When slow start is over before anything is lost: HyStart++ (RFC 9406).

Rounds are counted by what was delivered: a round ends with the first acknowledgement of something that left after it
began. A round whose least round-trip time lies clearly above the round before's means that a queue is filling. Growth
then slows down for some rounds (CSS), and goes on as before should that have been a false alarm.
"""

from __future__ import annotations

from mayfly.sctp.samples import AckSample

_MIN_THRESHOLD = 0.004
_MAX_THRESHOLD = 0.016
_DIVISOR = 8
_SAMPLES = 8
_CAUTION = 4
"""Growth is divided by this in CSS."""
_CAUTIOUS_ROUNDS = 5

_NEVER = float("inf")


class SlowStart:
    """One slow start. `over` once it has to end."""

    __slots__ = ("_baseline", "_cautious_rounds", "_current", "_last", "_round_end", "_samples", "over")

    def __init__(self) -> None:
        self._round_end = 0
        self._last = self._current = self._baseline = _NEVER
        self._samples = 0
        self._cautious_rounds = 0
        self.over = False

    def growth(self, sample: AckSample) -> int:
        """How many bytes the window grows by."""
        if sample.departure.delivered >= self._round_end:
            self._begin_round(sample)
        if sample.round_trip is not None:
            self._current = min(self._current, sample.round_trip)
            self._samples += 1
        if self._baseline == _NEVER:
            if self._samples >= _SAMPLES and self._current >= self._last + self._threshold():
                self._baseline = self._current
                self._cautious_rounds = 0
        elif self._samples >= _SAMPLES and self._current < self._baseline:
            self._baseline = _NEVER
        return sample.acknowledged if self._baseline == _NEVER else sample.acknowledged // _CAUTION

    def _begin_round(self, sample: AckSample) -> None:
        self._round_end = sample.delivered
        self._last, self._current = self._current, _NEVER
        self._samples = 0
        if self._baseline != _NEVER:
            self._cautious_rounds += 1
            self.over = self._cautious_rounds >= _CAUTIOUS_ROUNDS

    def _threshold(self) -> float:
        return max(_MIN_THRESHOLD, min(self._last / _DIVISOR, _MAX_THRESHOLD))
