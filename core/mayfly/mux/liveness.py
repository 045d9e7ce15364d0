"""Whether the peer is there, and how far: PING and PONG on a clock that the caller holds.

A peer is dead when a PING was sent and nothing at all came for `dead_after - ping_after`. Time in which this process
itself was asleep does not count: the PING comes first, and where one was out already, waking late gives it more time
once.

Who hears something and has had nothing to say for `ping_after` sends a PING too. The far end may be sending so much, or
so slowly, that its own PING has not left yet, and it would take our silence for death.
"""

from __future__ import annotations

from math import inf

from mayfly.config import MuxConfig
from mayfly.mux.restraint import Restraint
from mayfly.wire.frames import OPAQUE_SIZE

_SAMPLE_EVERY = 2.0
_FIRST_GUESS = 0.1
_ASLEEP = 1.0  # a clock that is asked so much later than it wanted to be belongs to a process that did not run


class Liveness:
    """The PING schedule of one session. Times are seconds on the caller's clock."""

    __slots__ = ("_asleep", "_config", "_count", "_heard", "_opaque", "_sent", "_spoke", "restraint", "round_trip")

    def __init__(self, config: MuxConfig, now: float, restraint: Restraint | None = None) -> None:
        self._config = config
        self._heard = self._spoke = now
        self._sent: float | None = None
        self._opaque = b""
        self._count = 0
        self._asleep = False
        self.round_trip: float | None = None
        """Smoothed as RFC 6298 §2 does, in seconds; None before the first PONG."""
        self.restraint = restraint
        """It sends PINGs of its own, and is told of the others."""

    @property
    def round_trip_or_guess(self) -> float:
        """For decisions that cannot wait for a sample."""
        return _FIRST_GUESS if self.round_trip is None else self.round_trip

    @property
    def asking(self) -> bool:
        """Whether a PING waits for its PONG."""
        return bool(self._opaque)

    def heard(self, now: float) -> None:
        """Something came from the peer."""
        self._heard = now
        self._asleep = False

    def spoke(self, now: float) -> None:
        """Something left for the peer."""
        self._spoke = now

    def silent(self, now: float) -> bool:
        """Whether to ask for a sign of life, and so to give one."""
        unheard = not self._opaque and now >= self._heard + self._config.ping_after
        return unheard or now >= self._speak_at

    def sample_due(self, now: float) -> bool:
        """Whether a path that is in use is worth a new measurement."""
        return not self._opaque and self._sent is not None and now - self._sent >= _SAMPLE_EVERY

    def ping(self, now: float) -> bytes:
        """The opaque bytes of a PING that is sent now."""
        self._count += 1
        self._opaque = self._count.to_bytes(OPAQUE_SIZE, "big")
        self._sent = self._spoke = now
        return self._opaque

    def ping_again(self, now: float) -> bytes:
        """The opaque bytes of one more PING: of the one that is out, so that the first PONG answers them all."""
        self._spoke = now
        return self._opaque or self.ping(now)

    def pong(self, opaque: bytes, now: float) -> None:
        """A PONG came. One that answers nothing is ignored."""
        if opaque != self._opaque or self._sent is None:
            if self.restraint is not None:
                self.restraint.pong(opaque, now)
            return
        sample = now - self._sent
        self._opaque = b""
        if sample > self._config.dead_after:
            return  # this process slept
        self.round_trip = sample if self.round_trip is None else self.round_trip * 7 / 8 + sample / 8
        if self.restraint is not None:
            self.restraint.measured(sample, now)

    def next_timeout(self) -> float:
        """When to ask `silent` or `dead` again."""
        dead_at, speak_at = self._dead_at, self._speak_at
        ask_at = self._heard + self._config.ping_after if dead_at is None else dead_at
        return ask_at if ask_at < speak_at else speak_at

    def dead(self, now: float) -> bool:
        """Whether a PING has been out for too long in silence."""
        if self._dead_at is None:
            return False
        late = now - self._dead_at
        if late >= _ASLEEP and not self._asleep:
            self._asleep = True
            self._heard = self._spoke = now
            return False
        return late >= 0

    @property
    def _dead_at(self) -> float | None:
        """When silence is death, if a PING is out."""
        if not self._opaque or self._sent is None:
            return None
        return max(self._sent, self._heard) + self._config.dead_after - self._config.ping_after

    @property
    def _speak_at(self) -> float:
        """When what came has been without an answer for too long."""
        return self._spoke + self._config.ping_after if self._heard > self._spoke else inf
