"""What the registry in memory holds of each posting and match."""

from __future__ import annotations

from dataclasses import dataclass, field

from mayfly.rendezvous.messages import About, CloseReason, PostingEvent
from mayfly_broker.states import MATCH, POSTING, MatchState, PostingState, PostingStep


@dataclass(slots=True)
class Posting:
    """A relay that waits. `about` and `key` are those of the pool, `nameplate` a friend's."""

    id: str
    digest: bytes
    owner: str
    capacity: int
    ends: float
    lease: float
    key: str | None = None
    about: About | None = None
    nameplate: str | None = None
    state: PostingState = PostingState.LIVE
    opened: int = 0
    tries: int = 0
    seq: int = 0
    due: float = 0.0
    events: dict[int, PostingEvent] = field(default_factory=dict[int, PostingEvent])
    open: set[str] = field(default_factory=set[str])

    def step(self, step: PostingStep) -> None:
        """One step of the table."""
        self.state = POSTING[self.state, step]

    @property
    def until(self) -> float:
        """When it lapses unless its relay polls."""
        return min(self.lease, self.ends)


@dataclass(slots=True)
class Letters:
    """One side's messages, in the order of their numbers from 1."""

    bodies: list[str] = field(default_factory=list[str])
    size: int = 0


@dataclass(slots=True)
class Match:
    """One client and one posting."""

    id: str
    digest: bytes
    owner: str
    posting: str
    until: float
    state: MatchState = MatchState.OPEN
    reason: CloseReason | None = None
    client: Letters = field(default_factory=Letters)
    relay: Letters = field(default_factory=Letters)
    seqs: list[int] = field(default_factory=list[int])

    def close(self, reason: CloseReason) -> None:
        """One step of the table."""
        self.state = MATCH[self.state, reason]
        self.reason = reason
