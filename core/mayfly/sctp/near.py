"""A bound on another controller's window for near paths, on which that controller would hear of its queue too late.

Between programs of one machine, or of one network, a queue holds many times what a path of less than a millisecond
needs, and nothing is lost until it is full. So the window is kept to what was delivered in the least round-trip time
and `_QUEUE` more: a keystroke behind a download then waits for that, and no longer. That allowance is also how a rate
that has risen is found: the window fits it as soon as it is there, for acknowledgements then come sooner.

A machine that is busy answers late and for much at once. What may be in flight has to last until then, or the rate
falls, the bound falls with it, and so on down to the least one. A full queue cannot be taken for that: it is
acknowledged piece by piece as it drains. So twice the most that was acknowledged at once may be in flight, where that
is more than `_QUEUE`, as far as `_LATE` and `_LATE_BYTES` go: twice, because of two ends that are late each may hold
half. Round trips would not tell a late end from a full queue.

Whoever bounds queues beside others who fill them gives the path away. But a queue that others fill overflows, for us
too: after a loss the other controller decides alone for `_AFTER_LOSS`. And should round trips stay long although we
hold back, then the path has changed, and its least round-trip time is measured anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from mayfly.config import KIB
from mayfly.sctp.congestion import CongestionControl
from mayfly.sctp.cubic import Cubic
from mayfly.sctp.samples import AckSample, LossSample

_NEAR = 0.005
"""Seconds of round trip up to which a path is near. Beyond it HyStart++ and losses tell of queues early enough."""

_QUEUE = 0.004
"""Seconds of the rate that may wait."""

_LATE = 0.025
"""Seconds of the rate that may be in flight for ends that answer late, at most."""

_LATE_BYTES = 384 * KIB
"""And bytes: 15 ms of 200 Mbit/s. Fast programs of one machine each take all that is there at once, however much that
is; at what they carry, 100 MB/s and more, this is no more than `_QUEUE`."""

_LEAST_PACKETS = 16
"""No bound is below it: batches must be worth a wake-up, and from it a rate that has risen shows at once."""

_SPELL = 0.03
"""Seconds over which a rate is taken, at least. Event loops tell the time by the millisecond."""

_RATES = 8
_LONG = 16
"""Spells in a row after which long round trips are the path's own. More than `_RATES`, so that a rate which fell has
been noticed, and the queue that came of it is gone."""

_AFTER_LOSS = 10.0
_NEVER = float("inf")


class NearBound:
    """Fulfils `congestion.CongestionControl`, around one that decides wherever the path is not near."""

    def __init__(self, packet: int, inner: Callable[[int], CongestionControl] = Cubic) -> None:
        self._inner = inner(packet)
        self._packet = packet
        self._bound: int | None = None
        self._rates: deque[float] = deque(maxlen=_RATES)  # of the last spells in which the window was used
        self._gulps: deque[int] = deque(maxlen=_RATES)  # the most that was acknowledged at once in these
        self._allowed = _QUEUE  # seconds of the rate that may be in flight beyond the least round trip
        self._begin: float | None = None  # when this spell began
        self._delivered = 0  # and what had been delivered by then
        self._gulp = 0  # the most that was acknowledged at once since
        self._used = False  # whether anything in it left as fast as the window allowed
        self._least = _NEVER  # the round trip without a queue
        self._current = _NEVER  # the least round trip of this spell
        self._latest: deque[float] = deque(maxlen=_LONG)  # and of those before
        self._free_until = -_NEVER
        self._stale = True  # whether the bound has to be found anew

    @property
    def window(self) -> int:
        """Bytes that may be in flight."""
        window = self._inner.window
        return window if self._bound is None or window < self._bound else self._bound

    @property
    def pacing_rate(self) -> float | None:
        """Bytes a second."""
        return self._inner.pacing_rate

    def resize(self, packet: int) -> None:
        """A packet carries that much."""
        self._packet = packet
        self._stale = True
        self._inner.resize(packet)

    def on_acknowledged(self, sample: AckSample) -> None:
        """Measure, and let the other controller grow unless it is far beyond the bound already."""
        self._measure(sample)
        if (self._stale or self._bound is None) and sample.now >= self._free_until:
            self._follow()
        if self._bound is not None and sample.limited and self._inner.window > 2 * self._bound:
            sample = replace(sample, limited=False)
        self._inner.on_acknowledged(sample)

    def on_lost(self, sample: LossSample) -> None:
        """There is a queue that overflows, perhaps not of our making."""
        self._release(sample.now)
        self._inner.on_lost(sample)

    def on_timeout(self, now: float, in_flight: int) -> None:
        """The same, as far as the bound goes."""
        self._release(now)
        self._inner.on_timeout(now, in_flight)

    def on_idle(self, now: float, idle: float, timeout: float) -> None:
        """After a real pause the spell is void: what follows was not held back by anything."""
        if idle > _QUEUE:
            self._begin = None
        self._inner.on_idle(now, idle, timeout)

    def _release(self, now: float) -> None:
        self._bound = None
        self._latest.clear()
        self._free_until = now + _AFTER_LOSS

    def _follow(self) -> None:
        """Find the bound anew."""
        self._stale = False
        if self._least > _NEAR or not self._rates:
            self._bound = None
            return
        rate = max(self._rates)
        self._allowed = max(_QUEUE, min(min(2 * max(self._gulps), _LATE_BYTES) / rate, _LATE))
        self._bound = max(int(rate * (self._least + self._allowed)), _LEAST_PACKETS * self._packet)

    def _measure(self, sample: AckSample) -> None:
        round_trip = sample.round_trip
        if round_trip is not None and round_trip < self._current:
            self._current = round_trip
            if round_trip < self._least:
                self._least = round_trip
                self._stale = True
        self._used = self._used or not sample.departure.app_limited
        if self._begin is None:
            self._start_spell(sample)
            return
        if sample.acknowledged > self._gulp:
            self._gulp = sample.acknowledged
        if (span := sample.now - self._begin) >= _SPELL:
            rate = (sample.delivered - self._delivered) / span
            if self._used or not self._rates or rate > max(self._rates):
                self._rates.append(rate)
                self._gulps.append(self._gulp)
            if self._bound is not None:
                self._latest.append(self._current)
                if len(self._latest) == _LONG and (least := min(self._latest)) > self._least + 3 * self._allowed:
                    self._least = least
            self._stale = True
            self._start_spell(sample)

    def _start_spell(self, sample: AckSample) -> None:
        self._begin, self._delivered = sample.now, sample.delivered
        self._gulp, self._used = 0, False
        self._current = _NEVER
