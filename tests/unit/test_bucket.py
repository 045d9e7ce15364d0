"""The token bucket: a burst at once, then the rate; a debt is paid back; no clock makes more of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.bucket import Bucket


def test_a_burst_then_the_rate() -> None:
    bucket = Bucket(10, 5)
    assert bucket.level(100.0) == 5
    bucket.spend(5)
    assert bucket.level(100.0) == 0
    assert bucket.level(100.2) == pytest.approx(2)
    assert bucket.level(1e6) == 5, "a pause fills it up to the burst only"


def test_a_debt_is_paid_back() -> None:
    bucket = Bucket(10, 5)
    bucket.level(0.0)
    bucket.spend(25)
    assert bucket.level(0.0) == -20
    assert bucket.level(1.0) == -10
    assert bucket.level(2.0) == 0


def test_a_clock_that_goes_back_stands_still() -> None:
    bucket = Bucket(10, 5)
    bucket.level(10.0)
    bucket.spend(5)
    assert bucket.level(3.0) == 0
    assert bucket.level(10.1) == pytest.approx(1)


@given(st.floats(0.1, 1e6), st.floats(1, 1e6), st.lists(st.tuples(st.floats(-5, 10), st.floats(0, 1)), max_size=40))
def test_no_more_than_the_burst_and_the_rate_comes_out(
    rate: float, burst: float, steps: list[tuple[float, float]]
) -> None:
    bucket = Bucket(rate, burst)
    now = latest = spent = 0.0
    bucket.level(now)
    for pause, share in steps:
        now += pause
        latest = max(latest, now)
        taken = max(0.0, bucket.level(now)) * share
        bucket.spend(taken)
        spent += taken
        assert spent <= (burst + rate * latest) * (1 + 1e-9)
