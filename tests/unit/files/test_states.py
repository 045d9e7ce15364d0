"""The tables: ends are ends, every other state can end, and a pair cannot wait for each other for ever."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mayfly.files.records import Reason
from mayfly.files.states import GIVING_UP, OUTCOMES, RECEIVER, SENDER, Outcome, Receiving, Sending, Step, advance

TABLES: list[tuple[Any, Any]] = [(SENDER, Sending), (RECEIVER, Receiving)]
ENDS = {state.name for state in (Sending.COMPLETED, Sending.DECLINED, Sending.CANCELLED, Sending.INTERRUPTED)}


@pytest.mark.parametrize(("table", "states"), TABLES)
def test_each_state_has_a_row_and_ends_have_no_steps(table: Mapping[Any, Mapping[Step, Any]], states: Any) -> None:
    assert set(table) == set(states)
    for state, steps in table.items():
        assert (state.name in ENDS) == (state in OUTCOMES) == (not steps)


@pytest.mark.parametrize(("table", "states"), TABLES)
def test_each_state_can_be_reached_and_left(table: Mapping[Any, Mapping[Step, Any]], states: Any) -> None:
    first = next(iter(states))
    reached, new = {first}, [first]
    while new:
        found = set(table[new.pop()].values()) - reached
        reached |= found
        new += found
    assert reached == set(states)
    for state, steps in table.items():
        assert state in OUTCOMES or {Step.GIVE_UP, Step.STOP} <= set(steps), state


def test_the_same_names_are_the_same_outcomes() -> None:
    assert {state.name: outcome.name for state, outcome in OUTCOMES.items()} == {name: name for name in ENDS}
    assert {outcome.name for outcome in Outcome} == ENDS


def test_nothing_interrupts_a_commit() -> None:
    for step in (Step.CANCEL, Step.HOLD):
        assert advance(RECEIVER, Receiving.COMMITTING, step) is Receiving.COMMITTING
    for step in (Step.OUR_CANCEL, Step.LOST, Step.OFFER, Step.DATA, Step.FINISHED):
        assert advance(RECEIVER, Receiving.COMMITTING, step) is None


def test_a_sender_that_cancels_still_takes_each_word_of_the_receiver() -> None:
    for state in Sending:
        if state in OUTCOMES or state is Sending.CANCELLING:
            continue
        assert advance(SENDER, state, Step.OUR_CANCEL) is Sending.CANCELLING
        words = {Step.ACCEPT, Step.DECLINE, Step.ANSWER, Step.PROGRESS, Step.COMPLETED, Step.HOLD, Step.CANCEL}
        assert words & set(SENDER[state]) <= set(SENDER[Sending.CANCELLING])


def test_a_full_disk_can_be_gone_on_with_and_a_bad_name_cannot() -> None:
    assert Reason.DISK_FULL not in GIVING_UP
    assert {Reason.BAD_NAME, Reason.USER} <= GIVING_UP
