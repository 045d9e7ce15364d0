"""Pauses."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mayfly.meetconfig import MeetingConfig
from mayfly.rendezvous.backoff import Backoff

CONFIG = MeetingConfig(backoff=1.0, max_backoff=8.0)


def test_pauses_double_up_to_a_bound_and_start_anew() -> None:
    backoff = Backoff(CONFIG)
    assert [backoff.pause(0.0) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    backoff.reset()
    assert backoff.pause(0.999) < 1.0


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=100))
def test_no_pause_is_ever_short_or_too_long(chances: list[float]) -> None:
    backoff = Backoff(CONFIG)
    assert all(0.5 <= backoff.pause(chance) <= 8.0 for chance in chances)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1e9))
def test_what_the_other_side_asks_is_kept_within_our_bound(chance: float, asked: float) -> None:
    assert min(asked, 8.0) <= Backoff(CONFIG).pause(chance, asked) <= 8.0
