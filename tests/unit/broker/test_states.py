"""The tables of states are whole."""

from __future__ import annotations

from typing import get_args

from mayfly.rendezvous.messages import CloseReason
from mayfly_broker.states import MATCH, POSTING, MatchState, PostingState, PostingStep


def test_every_posting_ends_gone_and_nothing_comes_back() -> None:
    for state in PostingState:
        ways = {after for (before, _), after in POSTING.items() if before is state}
        assert PostingState.LIVE not in ways
        assert (state is PostingState.GONE) == (not ways)
    for step in (PostingStep.LEAVE, PostingStep.LAPSE):
        assert all((state, step) in POSTING for state in PostingState if state is not PostingState.GONE)


def test_a_match_closes_once_for_any_reason() -> None:
    assert {reason for _, reason in MATCH} == set(get_args(CloseReason))
    assert {state for state, _ in MATCH} == {MatchState.OPEN}
    assert set(MATCH.values()) == {MatchState.CLOSED}
