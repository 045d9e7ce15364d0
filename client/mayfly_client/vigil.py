"""Whether a relay that owes us a sign of life is dead, sans-IO: when to ask, when to doubt, when to give it up.

A process that was killed says nothing, and its host may say nothing either. So silence decides, and how long it may be
hangs on the path: questions are repeated, since each may be lost, and an answer is worth waiting for some round trips.
Time in which our own process did not run is nobody's silence.
"""

from __future__ import annotations

from enum import Enum

from mayfly.meetconfig import PoolConfig

_DOUBT = 2.0
_GIVE_UP = 5.0
"""In round trips, on top of or instead of what the configuration says."""

_LATE = 0.1
"""A look that comes so much later than it was due shows that our process did not run."""


class Stage(Enum):
    """What we think of the relay."""

    CALM = "calm"
    ASKED = "asked"
    DOUBTED = "doubted"
    LOST = "lost"


class Sign(Enum):
    """What a look finds."""

    NOTHING = "nothing"
    LIFE = "life"
    SILENCE = "silence"
    """For so long that a question is due."""
    LONG = "long silence"
    TOO_LONG = "too long a silence"


class Act(Enum):
    """What is to be done."""

    NOTHING = "nothing"
    ASK = "ask"
    DOUBT = "doubt"
    """New streams go elsewhere where they can."""
    TRUST = "trust"
    """The doubts were wrong, or the question is answered."""
    GIVE_UP = "give up"


STEPS: dict[tuple[Stage, Sign], tuple[Stage, Act]] = {
    (Stage.CALM, Sign.NOTHING): (Stage.CALM, Act.NOTHING),
    (Stage.CALM, Sign.SILENCE): (Stage.ASKED, Act.ASK),
    (Stage.ASKED, Sign.NOTHING): (Stage.ASKED, Act.NOTHING),
    (Stage.ASKED, Sign.LIFE): (Stage.CALM, Act.TRUST),
    (Stage.ASKED, Sign.SILENCE): (Stage.ASKED, Act.ASK),
    (Stage.ASKED, Sign.LONG): (Stage.DOUBTED, Act.DOUBT),
    (Stage.DOUBTED, Sign.NOTHING): (Stage.DOUBTED, Act.NOTHING),
    (Stage.DOUBTED, Sign.LIFE): (Stage.CALM, Act.TRUST),
    (Stage.DOUBTED, Sign.SILENCE): (Stage.DOUBTED, Act.ASK),
    (Stage.DOUBTED, Sign.TOO_LONG): (Stage.LOST, Act.GIVE_UP),
}
"""The next stage and what to do, for each stage and sign that can meet. Nobody looks at what is LOST."""


class Vigil:
    """One relay. `look` when it is `due`; times are seconds on the caller's clock."""

    def __init__(self, config: PoolConfig, now: float) -> None:
        self._config = config
        self._heard = now
        self._answer = now  # the last sign of life that we had asked for
        self._since = now  # when the first question went out
        self._asked = now
        self.stage = Stage.CALM
        self.due = now
        """When to look next."""

    def look(
        self, now: float, heard: float, round_trip: float | None, *, busy: bool, doubted: bool = False, alone: bool
    ) -> Act:
        """What to do.

        `heard` is when it last said anything. It owes us signs of life while it is `busy` for us, or `doubted` by
        others than us. `alone` says that there is no other relay.
        """
        slept = now - self.due
        if slept > _LATE:
            self._since = min(self._since + slept, now)
        lived, self._heard = heard > self._heard, heard
        if self.stage is Stage.CALM:
            sign = Sign.SILENCE if doubted or (busy and now >= self._question) else Sign.NOTHING
        elif lived or not (busy or doubted):
            sign = Sign.LIFE
        else:
            sign = self._silence(now, round_trip or 0.0, alone=alone)
        before = self.stage
        self.stage, act = STEPS[before, sign]
        if act is Act.ASK:
            self._asked = now
            self._since = now if before is Stage.CALM else self._since
        elif act is Act.TRUST:
            self._answer = heard
        again = now + self._config.ask_again
        self.due = max(self._question, again) if self.stage is Stage.CALM else again
        return act

    def _silence(self, now: float, round_trip: float, *, alone: bool) -> Sign:
        silence = now - self._since
        limit = max(self._config.give_up, self._config.alone if alone else 0.0, _GIVE_UP * round_trip)
        if self.stage is Stage.ASKED and silence >= self._config.quiet + _DOUBT * round_trip:
            return Sign.LONG
        if self.stage is Stage.DOUBTED and silence >= limit:
            return Sign.TOO_LONG
        return Sign.SILENCE if now >= self._asked + self._config.ask_again else Sign.NOTHING

    @property
    def _question(self) -> float:
        """When a relay of which we think well is asked."""
        idle = self._heard <= self._answer
        return self._heard + (self._config.ask_idle if idle else self._config.ask_after)
