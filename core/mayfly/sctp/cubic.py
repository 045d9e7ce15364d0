"""CUBIC (RFC 9438), in bytes, with slow start by byte counting and HyStart++'s exit.

The window after a loss follows a cubic curve of time: steep back towards where the loss was, flat around it, steep
again beyond. It grows only while it is what holds the sender back.
"""

from __future__ import annotations

from mayfly.sctp.hystart import SlowStart
from mayfly.sctp.samples import AckSample, LossSample

_C = 0.4
_BETA = 0.7
_ALPHA = 3 * (1 - _BETA) / (1 + _BETA)
_INITIAL_PACKETS = 10
"""RFC 6928's idea for SCTP."""
_MIN_PACKETS = 2
_NEVER = float("inf")

_SLOW_START_GAIN = 2.0
_AVOIDANCE_GAIN = 1.2
"""The pacing rate above window ÷ round trip: pacing spreads packets, and must not be what limits them."""


class Cubic:
    """Fulfils `congestion.CongestionControl`."""

    def __init__(self, packet: int) -> None:
        self._packet = packet
        self._window = float(_INITIAL_PACKETS * packet)
        self._threshold = _NEVER
        self._slow_start: SlowStart | None = SlowStart()
        self._smoothed: float | None = None
        self._reduced = -_NEVER  # when the last reduction was
        self._epoch: float | None = None  # when congestion avoidance began
        self._w_max = 0.0
        self._k = 0.0
        self._estimate = 0.0  # what Reno would have, in bytes
        self._prior = 0.0  # the window before the last reduction

    @property
    def window(self) -> int:
        """Bytes that may be in flight."""
        return int(self._window)

    @property
    def pacing_rate(self) -> float | None:
        """Bytes a second."""
        if self._smoothed is None:
            return None
        gain = _SLOW_START_GAIN if self._window < self._threshold else _AVOIDANCE_GAIN
        return gain * self._window / max(self._smoothed, 1e-6)

    def resize(self, packet: int) -> None:
        """A packet carries that much. A window that has not grown yet is counted in packets anew."""
        if self._window == _INITIAL_PACKETS * self._packet:
            self._window = float(_INITIAL_PACKETS * packet)
        self._packet = packet
        self._window = max(self._window, _MIN_PACKETS * packet)

    def on_acknowledged(self, sample: AckSample) -> None:
        """Grow, if the window was what held the sender back."""
        self._smoothed = sample.smoothed
        if sample.departure.time < self._reduced:
            return  # recovering: what left before the reduction says nothing about the smaller window
        if self._window < self._threshold:
            self._grow_fast(sample)
        elif sample.limited:
            self._grow(sample)
        elif self._epoch is not None:
            self._epoch = None  # the curve does not go on while nobody uses the window (RFC 9438 §5.8)

    def on_lost(self, sample: LossSample) -> None:
        """One reduction for all that was in flight at the time (RFC 9438 §4.6)."""
        if sample.sent <= self._reduced:
            return
        self._reduce(sample.now)
        self._window = self._threshold

    def on_timeout(self, now: float, in_flight: int) -> None:
        """Back to slow start, up to where it would have come after an ordinary loss (RFC 9438 §4.8)."""
        if in_flight and self._window > self._packet:
            self._reduce(now)
        self._reduced = now
        self._window = float(self._packet)
        # No HyStart: the threshold ends this slow start.
        self._slow_start = None

    def on_idle(self, now: float, idle: float, timeout: float) -> None:
        """Halve the window for each timeout that passed, down to the initial one."""
        if idle > timeout:
            self._epoch = None
        initial = _INITIAL_PACKETS * self._packet
        while idle > timeout and self._window > initial:
            self._window = max(self._window / 2, initial)
            idle -= timeout

    def _grow_fast(self, sample: AckSample) -> None:
        growth = sample.acknowledged if self._slow_start is None else self._slow_start.growth(sample)
        if 2 * sample.in_flight >= self._window:
            self._window = min(self._window + growth, max(self._threshold, self._window))
        if self._slow_start is not None and self._slow_start.over:
            self._slow_start = None
            self._threshold = self._window

    def _grow(self, sample: AckSample) -> None:
        packet = self._packet
        if self._epoch is None:
            self._epoch = sample.now
            self._estimate = self._window
            self._w_max = max(self._w_max, self._window)
            self._k = ((self._w_max - self._window) / packet / _C) ** (1 / 3)
        elapsed = sample.now - self._epoch
        target = self._curve(elapsed + sample.smoothed)
        target = min(max(target, self._window), 1.5 * self._window)
        alpha = _ALPHA if self._estimate < self._prior else 1.0
        self._estimate += alpha * packet * sample.acknowledged / self._window
        grown = self._window + (target - self._window) * sample.acknowledged / self._window
        self._window = max(grown, self._estimate) if self._curve(elapsed) < self._estimate else grown

    def _curve(self, elapsed: float) -> float:
        return _C * (elapsed - self._k) ** 3 * self._packet + self._w_max

    def _reduce(self, now: float) -> None:
        window = self._window
        # Fast convergence: a flow that had to give way before gives way to newcomers a little more (RFC 9438 §4.7).
        self._w_max = window * (1 + _BETA) / 2 if window < self._w_max else window
        self._prior = window
        self._threshold = max(window * _BETA, _MIN_PACKETS * self._packet)
        self._epoch = None
        self._reduced = now
        self._slow_start = None
