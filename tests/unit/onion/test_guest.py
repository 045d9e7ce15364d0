"""The caller's side, by itself and against the relay's."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.meetconfig import OnionConfig
from mayfly.onion.desk import CallerMachine
from mayfly.onion.guest import Guest, RelayRefusesError
from mayfly.onion.messages import Accepted, Offered, OnionError, Refusal, Refused, encode
from support.spoilt import spoilt

CONFIG = OnionConfig()
foreign = st.builds(Offered, st.text(), st.floats(0, 900)) | st.builds(
    Refused, st.sampled_from(Refusal), st.floats(0, 900)
)


def test_both_sides_together() -> None:
    guest, call = Guest(CONFIG), CallerMachine(CONFIG, 0.0)
    call.receive(guest.call())
    offered = guest.receive(call.offer("mf1offer", 0.0))
    assert isinstance(offered, Offered)
    assert offered.offer == "mf1offer"
    call.receive(guest.answer("mf1answer"))
    assert call.answer == "mf1answer"
    assert guest.receive(call.accept()) == Accepted()


def test_a_line_in_pieces_is_waited_for() -> None:
    guest = Guest(CONFIG)
    line = encode(Offered("mf1offer", 60.0))
    assert guest.receive(line[:7]) is None
    assert guest.receive(line[7:]) == Offered("mf1offer", 60.0)


@pytest.mark.parametrize("answered", [False, True])
def test_a_refusal_at_any_time(answered: bool) -> None:
    guest = Guest(CONFIG)
    if answered:
        guest.receive(encode(Offered("mf1offer", 60.0)))
        guest.answer("mf1answer")
    with pytest.raises(RelayRefusesError) as raised:
        guest.receive(encode(Refused(Refusal.BUSY, 5.0)))
    assert raised.value.refused == Refused(Refusal.BUSY, 5.0)


@pytest.mark.parametrize("line", [encode(Accepted()), b"hello\n", b"x" * 5000])
def test_a_relay_that_breaks_a_rule(line: bytes) -> None:
    with pytest.raises(OnionError):
        Guest(CONFIG).receive(line)


def test_a_second_offer_breaks_a_rule() -> None:
    guest = Guest(CONFIG)
    guest.receive(encode(Offered("mf1offer", 60.0)))
    with pytest.raises(OnionError):
        guest.receive(encode(Offered("mf1offer", 60.0)))


@given(st.binary(max_size=6000) | spoilt(foreign.map(encode)))
def test_whatever_a_relay_says_ends_in_the_documented_errors(data: bytes) -> None:
    with contextlib.suppress(OnionError, RelayRefusesError):
        Guest(CONFIG).receive(data)
