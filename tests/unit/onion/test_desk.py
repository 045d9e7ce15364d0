"""The relay's side of calls, and the limits that hold for all of them together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.meetconfig import OnionConfig
from mayfly.onion.desk import CallerMachine, Desk, State
from mayfly.onion.messages import Accepted, Answered, Call, Offered, Refusal, Refused, decode, encode

CONFIG = OnionConfig()


def said(line: bytes) -> object:
    return decode(line.removesuffix(b"\n"))


def test_a_call_from_its_beginning_to_its_end() -> None:
    call = CallerMachine(CONFIG, 0.0)
    assert call.deadline == CONFIG.call_timeout
    assert call.receive(encode(Call())) == b""
    assert call.state is State.WANTING
    assert said(call.offer("mf1offer", 5.0)) == Offered("mf1offer", CONFIG.answer_timeout)
    assert call.deadline == 5.0 + CONFIG.answer_timeout
    assert call.receive(encode(Answered("mf1answer"))) == b""
    assert (call.state, call.answer) == (State.JUDGING, "mf1answer")
    assert said(call.accept()) == Accepted()
    assert {call.state} == {State.OVER}


def test_another_version_is_told_so() -> None:
    call = CallerMachine(CONFIG, 0.0)
    assert said(call.receive(encode(Call(2)))) == Refused(Refusal.VERSION)
    assert call.state is State.OVER


@pytest.mark.parametrize("why", Refusal)
def test_refusals_say_when_to_come_back_where_that_helps(why: Refusal) -> None:
    seconds = CONFIG.retry_after if why is Refusal.BUSY else 0.0
    assert said(CallerMachine(CONFIG, 0.0).refuse(why)) == Refused(why, seconds)


@pytest.mark.parametrize(
    "words",
    [
        encode(Answered("mf1answer")),
        encode(Call()) + encode(Call()),
        encode(Call()) + encode(Answered("mf1answer")),
        encode(Accepted()),
        b"GET / HTTP/1.1\r\n",
        b"x" * (CONFIG.max_line + 1),
    ],
)
def test_a_caller_that_breaks_a_rule_is_hung_up_on(words: bytes) -> None:
    call = CallerMachine(CONFIG, 0.0)
    assert call.receive(words) == b""
    assert call.state is State.OVER


@given(st.lists(st.binary(max_size=6000), max_size=5))
def test_whatever_a_caller_says_raises_nothing(pieces: list[bytes]) -> None:
    call = CallerMachine(CONFIG, 0.0)
    for piece in pieces:
        call.receive(piece)
        if call.state is State.OVER:
            break
    assert call.state in (State.CALLING, State.WANTING, State.OVER)


def test_callers_are_counted() -> None:
    desk = Desk(CONFIG)
    assert all(desk.enter() for _ in range(CONFIG.max_callers))
    assert not desk.enter()
    desk.leave()
    assert desk.enter()


def test_offers_come_at_a_rate_after_a_burst() -> None:
    desk = Desk(CONFIG)
    assert [desk.may_offer(0.0) for _ in range(CONFIG.offer_burst + 1)] == [True] * CONFIG.offer_burst + [False]
    assert not desk.may_offer(0.9 / CONFIG.offer_rate)
    assert desk.may_offer(1.1 / CONFIG.offer_rate)
    assert sum(desk.may_offer(1e6) for _ in range(100)) == CONFIG.offer_burst  # and no more are saved up


def test_what_callers_can_make_us_hold_is_stated() -> None:
    assert CONFIG.worst_case_memory < 2**21
