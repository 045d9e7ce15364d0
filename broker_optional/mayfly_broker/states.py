"""The states of a posting and of a match, and every step between them. What is not in a table cannot happen.

A posting is LIVE while its relay polls. It is GONE when the relay leaves, or when its lease or lifetime is over; USED
when the relay says that its one friend has come; BURNED when its tries are used up, or it was called too
often without one. USED and BURNED are kept for a while as answers to those who ask.

A match is OPEN from its making until either side closes it, its time is over, or its posting ends; then it is CLOSED,
and can be read for a while.
"""

from __future__ import annotations

from enum import StrEnum


class PostingState(StrEnum):
    """Where a posting is in its life."""

    LIVE = "live"
    GONE = "gone"
    USED = "used"
    BURNED = "burned"


class PostingStep(StrEnum):
    """What ends a posting."""

    LEAVE = "leave"
    LAPSE = "lapse"
    USE = "use"
    BURN = "burn"


class MatchState(StrEnum):
    """Where a match is in its life."""

    OPEN = "open"
    CLOSED = "closed"


POSTING: dict[tuple[PostingState, PostingStep], PostingState] = {
    (PostingState.LIVE, PostingStep.LEAVE): PostingState.GONE,
    (PostingState.LIVE, PostingStep.LAPSE): PostingState.GONE,
    (PostingState.LIVE, PostingStep.USE): PostingState.USED,
    (PostingState.LIVE, PostingStep.BURN): PostingState.BURNED,
    (PostingState.USED, PostingStep.LEAVE): PostingState.GONE,
    (PostingState.USED, PostingStep.LAPSE): PostingState.GONE,
    (PostingState.BURNED, PostingStep.LEAVE): PostingState.GONE,
    (PostingState.BURNED, PostingStep.LAPSE): PostingState.GONE,
}
"""The steps of a posting."""

MATCH: dict[tuple[MatchState, str], MatchState] = {
    (MatchState.OPEN, reason): MatchState.CLOSED for reason in ("done", "wrong-word", "failed", "expired", "left")
}
"""The steps of a match, by the reason why it ends. A second end of the same match changes nothing and is no step."""
