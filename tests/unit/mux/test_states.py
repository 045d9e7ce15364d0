"""The state tables: complete where a peer decides, closed where our own application does."""

from __future__ import annotations

from itertools import product

import pytest

from mayfly.errors import ErrorCode, LocalProtocolError
from mayfly.mux.states import (
    RECEIVE,
    RECEIVE_ENDED,
    SEND,
    SEND_ENDED,
    Receive,
    ReceiveStep,
    Send,
    SendStep,
    advance,
)

OF_THE_PEER = (ReceiveStep.DATA, ReceiveStep.FIN, ReceiveStep.RESET)


@pytest.mark.parametrize(("state", "step"), list(product(Receive, (*OF_THE_PEER, ReceiveStep.STOP))))
def test_no_order_of_arrival_is_missing(state: Receive, step: ReceiveStep) -> None:
    assert advance(RECEIVE, state, step) in Receive


@pytest.mark.parametrize("state", list(Send))
def test_ending_twice_is_allowed_in_every_state(state: Send) -> None:
    assert advance(SEND, state, SendStep.FINISH) in Send
    assert advance(SEND, state, SendStep.RESET) in Send


@pytest.mark.parametrize("state", [state for state in Send if state is not Send.OPEN])
def test_only_an_open_half_takes_bytes(state: Send) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        advance(SEND, state, SendStep.WRITE)
    assert caught.value.code is ErrorCode.STREAM_STATE_ERROR
    assert state.name in caught.value.message


@pytest.mark.parametrize("state", sorted(SEND_ENDED, key=str))
def test_an_ended_sending_half_stays_as_it_is(state: Send) -> None:
    assert all(after is state for (before, _), after in SEND.items() if before is state)


@pytest.mark.parametrize("state", sorted(RECEIVE_ENDED, key=str))
def test_an_ended_receiving_half_stays_as_it_is(state: Receive) -> None:
    assert all(after is state for (before, _), after in RECEIVE.items() if before is state)


def test_a_reset_comes_too_late_for_a_half_that_is_complete() -> None:
    assert advance(RECEIVE, Receive.COMPLETE, ReceiveStep.RESET) is Receive.COMPLETE
    assert advance(SEND, Send.FINISHED, SendStep.RESET) is Send.FINISHED
