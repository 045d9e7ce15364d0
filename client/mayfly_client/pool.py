"""Which relays a client has, wants and chooses: the policy of several links, sans-IO.

A relay that is ours is in one of these states, and the table below is all there is to say of their changes::

    OPEN      takes new streams
    QUIET     owes us a sign of life: takes new streams only where nobody else can
    LEAVING   has said that it goes: takes no new ones, what is open may end

*How many.* Those that are OPEN, and not about to reach the end of their lifetime, should be `relays`; what is missing
is fetched, one after the other failed with growing pauses. So a replacement is fetched as soon as a relay drains or
falls silent, and ahead of the end that it has told.

*Which one.* The one with the fewest streams for its weight. Weights are measured speeds, held within a factor of four
of their mean, so that a slow one still gets what shows whether it is slow; what is not measured weighs the mean, less
what the relay says of its load.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum

from mayfly.meetconfig import MeetingConfig, PoolConfig
from mayfly.rendezvous.backoff import Backoff

_SPREAD = 4.0
_FADE = 0.98  # of a measured speed, each time it is looked at


class State(Enum):
    """What may be expected of a relay."""

    OPEN = "open"
    QUIET = "quiet"
    LEAVING = "leaving"


class Step(Enum):
    """What can happen to it, but for its end."""

    HEARD = "heard"
    SILENT = "silent"
    GOAWAY = "goaway"


STATES: dict[tuple[State, Step], State] = {
    (State.OPEN, Step.HEARD): State.OPEN,
    (State.OPEN, Step.SILENT): State.QUIET,
    (State.OPEN, Step.GOAWAY): State.LEAVING,
    (State.QUIET, Step.HEARD): State.OPEN,
    (State.QUIET, Step.SILENT): State.QUIET,
    (State.QUIET, Step.GOAWAY): State.LEAVING,
    (State.LEAVING, Step.HEARD): State.LEAVING,
    (State.LEAVING, Step.SILENT): State.LEAVING,
    (State.LEAVING, Step.GOAWAY): State.LEAVING,
}
"""The state after a step."""


@dataclass(slots=True)
class Member:
    """One relay that is ours. `replace_at` is on the caller's clock; `speed` in bytes a second, 0 while unmeasured."""

    number: int
    posting: str
    load: float
    replace_at: float | None
    state: State = State.OPEN
    streams: int = 0
    speed: float = 0.0


@dataclass(slots=True)
class Pool:
    """All relays of a client. Every call that depends on time takes `now`, seconds on the caller's clock."""

    config: PoolConfig
    members: dict[int, Member] = field(default_factory=dict[int, Member])
    _asking: bool = False
    _matched: set[str] = field(default_factory=set[str])
    _next_try: float = 0.0
    _failed: dict[str, float] = field(default_factory=dict[str, float])
    _backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        pauses = MeetingConfig(backoff=self.config.backoff, max_backoff=self.config.max_backoff)
        self._backoff = Backoff(pauses)

    # How many

    def fetch(self, now: float) -> bool:
        """Whether to fetch a relay now; if so, `matched`, `fetched` or `failed` must follow.

        The next one is asked for when the broker has named this one, so that the same is not given twice.
        """
        if self._asking or now < self._next_try or self._missing(now) <= 0:
            return False
        self._asking = True
        return True

    def matched(self, posting: str) -> None:
        """The broker has named a relay; the link to it is being made."""
        self._asking = False
        self._matched.add(posting)

    def fetched(self, number: int, posting: str, load: float, lifetime: float | None, now: float) -> None:
        """A relay has come, and says how loaded it is (0 to 1) and how long it stays."""
        self._matched.discard(posting)
        self._backoff.reset()
        ahead = None if lifetime is None else min(self.config.replace_ahead, lifetime / 4)
        replace_at = None if lifetime is None or ahead is None else now + lifetime - ahead
        self.members[number] = Member(number, posting, load, replace_at)

    def failed(self, posting: str | None, chance: float, now: float, asked: float | None = None) -> None:
        """None has come. `posting` is the one that was tried, if it came to that; `chance` is a random number."""
        self._next_try = now + self._backoff.pause(chance, asked)
        if posting is None:
            self._asking = False
        else:
            self._matched.discard(posting)
            self._blame(posting, now)

    @property
    def empty(self) -> bool:
        """Whether there is no relay, nor one to which a link is being made."""
        return not self.members and not self._matched

    def nobody(self) -> None:
        """The broker knows no relay that we do not exclude: where we have none at all, any will do."""
        if self.empty:
            self._failed.clear()

    def excluded(self, now: float) -> tuple[str, ...]:
        """The postings not to be given: those in use, and those that failed lately."""
        self._failed = {posting: until for posting, until in self._failed.items() if until > now}
        used = {member.posting for member in self.members.values()} | self._matched
        return tuple(used | self._failed.keys())

    def next_timeout(self, now: float) -> float | None:
        """When `fetch` may say something else; None if only an event changes it."""
        if self._missing(now) > 0 and self._next_try > now:
            return self._next_try
        due = [member.replace_at for member in self.members.values() if member.replace_at is not None]
        later = [at for at in due if at > now]
        return min(later) if later else None

    # What happens to them

    def step(self, number: int, step: Step) -> None:
        """Something has happened to a relay; nothing to one that is not ours any more."""
        member = self.members.get(number)
        if member is not None:
            member.state = STATES[member.state, step]

    def gone(self, number: int, now: float, *, failed: bool) -> None:
        """Its session has ended; `failed` where it did not leave in order."""
        member = self.members.pop(number, None)
        if member is not None and failed:
            self._blame(member.posting, now)

    def quiet(self, number: int) -> bool:
        """Whether that relay owes us a sign of life."""
        member = self.members.get(number)
        return member is not None and member.state is State.QUIET

    def alone(self, number: int) -> bool:
        """Whether no other relay is there for new streams."""
        return not any(m.state is State.OPEN for m in self.members.values() if m.number != number)

    def measured(self, number: int, streams: int, speed: float) -> None:
        """How many streams are open on it, and the bytes that they moved in the last second."""
        member = self.members.get(number)
        if member is not None:
            member.streams = streams
            if speed >= self.config.speed_sample:
                member.speed = max(speed, member.speed * _FADE)

    # Which one

    def choose(self, now: float, but: Collection[int] = ()) -> int | None:
        """The relay for a new stream, and one stream more counted for it; None where there is none."""
        usable = [m for m in self.members.values() if m.state is not State.LEAVING and m.number not in but]
        if not usable:
            return None
        known = [member.speed for member in usable if member.speed]
        mean = sum(known) / len(known) if known else 1.0

        def order(member: Member) -> tuple[bool, bool, float, int]:
            weight = min(max(member.speed or mean, mean / _SPREAD), mean * _SPREAD)
            weight *= 1.0 if member.speed else 1.0 - member.load / 2
            late = member.replace_at is not None and now >= member.replace_at
            return member.state is State.QUIET, late, (member.streams + 1) / weight, member.number

        best = min(usable, key=order)
        best.streams += 1
        return best.number

    def _missing(self, now: float) -> int:
        lasting = [m for m in self.members.values() if m.state is State.OPEN]
        lasting = [m for m in lasting if m.replace_at is None or now < m.replace_at]
        coming = len(self._matched)
        return min(self.config.relays - len(lasting), 2 * self.config.relays - len(self.members)) - coming

    def _blame(self, posting: str, now: float) -> None:
        self._failed.pop(posting, None)
        self._failed[posting] = now + self.config.forget_failures
        while len(self._failed) > self.config.max_failures:
            del self._failed[next(iter(self._failed))]
