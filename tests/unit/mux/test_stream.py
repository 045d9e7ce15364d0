"""One stream's own rules: what may arrive, what it wants, when it is over."""

from __future__ import annotations

import pytest

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.mux.events import Priority
from mayfly.mux.send import SendPool
from mayfly.mux.states import Receive, ReceiveStep, Send, SendStep
from mayfly.mux.stream import MuxStream


def stream() -> MuxStream:
    """A stream with credit for 1,000 bytes each way."""
    return MuxStream(4, Priority.INTERACTIVE, SendPool(MuxConfig()), 1000, 1000)


def code_of(one: MuxStream, end: int, *, fin: bool) -> ErrorCode:
    """How an arrival is refused."""
    with pytest.raises(RemoteProtocolError) as caught:
        one.check_arrival(end, fin)
    return caught.value.code


def test_arrivals_count_once() -> None:
    one = stream()
    assert [one.check_arrival(end, fin=False) for end in (10, 5, 10, 30, 1000)] == [10, 0, 0, 20, 970]


def test_credit_is_a_hard_edge() -> None:
    one = stream()
    assert code_of(one, 1001, fin=False) is ErrorCode.FLOW_CONTROL_ERROR
    assert code_of(one, 1001, fin=True) is ErrorCode.FLOW_CONTROL_ERROR
    assert code_of(one, 1 << 63, fin=False) is ErrorCode.FLOW_CONTROL_ERROR
    assert one.check_arrival(1000, fin=True) == 1000


def test_the_final_size_never_changes() -> None:
    one = stream()
    one.check_arrival(50, fin=False)
    assert code_of(one, 49, fin=True) is ErrorCode.FINAL_SIZE_ERROR
    assert one.check_arrival(60, fin=True) == 10
    assert code_of(one, 61, fin=False) is ErrorCode.FINAL_SIZE_ERROR
    assert code_of(one, 59, fin=True) is ErrorCode.FINAL_SIZE_ERROR
    assert code_of(one, 61, fin=True) is ErrorCode.FINAL_SIZE_ERROR
    assert one.check_arrival(60, fin=True) == one.check_arrival(20, fin=False) == 0


def test_it_is_over_when_both_halves_are_and_all_is_said() -> None:
    one = stream()
    one.step_send(SendStep.FINISH)
    one.step_send(SendStep.FIN_SENT)
    one.step_receive(ReceiveStep.RESET)
    before = one.ended  # the peer may not have all yet
    one.step_send(SendStep.DELIVERED)
    assert (before, one.ended) == (False, True)
    for attribute, value in (("reset_code", 0), ("stop_code", 0), ("credit_due", True)):
        before = getattr(one, attribute)
        setattr(one, attribute, value)
        assert not one.ended, attribute
        setattr(one, attribute, before)


def test_what_it_reports_tells_the_end_from_the_bytes_before_it() -> None:
    one = stream()
    one.incoming.insert(0, b"abc")
    one.check_arrival(3, fin=False)
    assert one.received == 3
    one.check_arrival(3, fin=True)
    one.step_receive(ReceiveStep.FIN)
    one.step_receive(ReceiveStep.NO_GAP)
    assert one.received == 3  # it has come, but closing the session now would take it away
    assert one.incoming.take(9) == b"abc"
    one.step_receive(ReceiveStep.READ_ALL)
    assert one.receive is Receive.READ
    assert one.received == 4


def test_what_it_wants() -> None:
    one, wanted = stream(), list[bool]()
    for act in (
        lambda: None,
        lambda: one.outgoing.append(b"x"),
        lambda: one.outgoing.take(1),
        lambda: one.step_send(SendStep.FINISH),
        lambda: one.step_send(SendStep.FIN_SENT),
    ):
        act()
        wanted.append(one.wants_to_send)
    assert wanted == [False, True, False, True, False]
    assert one.send is Send.FINISHED


def test_the_end_is_readable_too() -> None:
    one, readable = stream(), list[bool]()
    for step in (ReceiveStep.DATA, ReceiveStep.FIN, ReceiveStep.NO_GAP, ReceiveStep.READ_ALL):
        one.step_receive(step)
        readable.append(one.readable)
    assert readable == [False, False, True, False]
