"""The pace: a burst at once, then the rate, and no more wake-ups than needed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.chat.pace import Pace


def test_a_burst_then_the_rate() -> None:
    pace = Pace(10, 5)
    for _ in range(5):
        assert pace.wait(0.0) == 0.0
        pace.spend(1)
    assert pace.wait(0.0) == pytest.approx(0.1)
    assert pace.wait(0.1) == 0.0
    pace.spend(21)
    assert pace.wait(0.1) == pytest.approx(2.1)
    assert pace.wait(-5.0) == pytest.approx(2.1)
    assert pace.wait(2.3) == 0.0


def test_a_pause_saves_up_one_burst() -> None:
    pace = Pace(10, 5)
    pace.wait(0.0)
    pace.wait(1e6)
    pace.spend(5)
    assert pace.wait(1e6) > 0


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 50)), max_size=40), st.floats(0.1, 1e4), st.floats(1, 1e4))
def test_waiting_as_told_is_enough(steps: list[tuple[float, int]], rate: float, burst: float) -> None:
    pace = Pace(rate, burst)
    now = 0.0
    for pause, amount in steps:
        now += pause
        pace.spend(amount)
        now += pace.wait(now)
        assert pace.wait(now) < 1e-6
