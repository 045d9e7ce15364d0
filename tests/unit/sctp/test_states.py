"""The table of states."""

from __future__ import annotations

import pytest

from mayfly.sctp.states import State, Step, follow


@pytest.mark.parametrize(
    "steps",
    [
        [Step.START, Step.INIT_ACK, Step.COOKIE_ACK],
        [Step.START, Step.COOKIE_ECHO],
        [Step.START, Step.INIT_ACK, Step.COOKIE_ECHO],
    ],
)
def test_every_way_of_opening(steps: list[Step]) -> None:
    state = State.CLOSED
    for step in steps:
        following = follow(state, step)
        assert following is not None
        state = following
    assert state is State.ESTABLISHED
    for late in (Step.INIT_ACK, Step.COOKIE_ECHO, Step.COOKIE_ACK, Step.START):
        assert follow(state, late) is None


def test_shutting_down() -> None:
    assert follow(State.ESTABLISHED, Step.SHUTDOWN) is State.SHUTDOWN_RECEIVED
    assert follow(State.ESTABLISHED, Step.ALL_ACKNOWLEDGED) is None
    assert follow(State.SHUTDOWN_RECEIVED, Step.ALL_ACKNOWLEDGED) is State.SHUTDOWN_ACK_SENT
    assert follow(State.SHUTDOWN_RECEIVED, Step.SHUTDOWN_COMPLETE) is None
    assert follow(State.SHUTDOWN_ACK_SENT, Step.SHUTDOWN_COMPLETE) is State.ENDED


@pytest.mark.parametrize("state", State)
def test_the_end_is_one_step_away_and_final(state: State) -> None:
    assert follow(state, Step.END) is (None if state is State.ENDED else State.ENDED)
    assert all(follow(State.ENDED, step) is None for step in Step)
