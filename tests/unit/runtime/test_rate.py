"""The token bucket."""

from __future__ import annotations

from math import floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mayfly.runtime.rate import ByteLimiter

TICK = 0.002


def test_a_burst_and_then_the_rate() -> None:
    limiter = ByteLimiter(rate=1000, burst=5000)
    assert limiter.available(0.0) == 5000
    limiter.consume(5000, 0.0)
    assert limiter.available(0.0) == 0
    assert limiter.available(1.0) == 1000
    assert limiter.available(100.0) == 5000, "a pause fills it up to the burst only"


def test_no_trickle_below_ten_milliseconds_worth() -> None:
    limiter = ByteLimiter(rate=100_000, burst=100_000)
    limiter.consume(100_000, 0.0)
    assert limiter.available(0.009) == 0
    assert limiter.available(0.011) == 1100


def test_no_more_than_one_message_is_waited_for() -> None:
    limiter = ByteLimiter(rate=1e9, burst=1e9)
    limiter.consume(1_000_000_000, 0.0)
    assert limiter.wait(0.0) == pytest.approx(16384 / 1e9 + TICK)


def test_a_debt_is_paid_back() -> None:
    limiter = ByteLimiter(rate=100, burst=100)
    limiter.consume(300, 0.0)
    assert limiter.wait(0.0) == pytest.approx(2.01 + TICK)
    assert limiter.available(2.0) == 0
    assert limiter.available(3.0) == 100


@given(st.floats(0, 1e6), st.floats(0.5, 1e9), st.floats(1, 1e9))
@example(0.01, 1, 1)
@example(0.05, 1, 1)
@example(0.3, 1, 1)
def test_who_was_told_to_wait_is_not_told_again_by_a_clock_of_milliseconds(
    now: float, rate: float, burst: float
) -> None:
    limiter = ByteLimiter(rate, burst)
    limiter.consume(int(burst), now)
    limiter.consume(1, now)
    assert limiter.wait(floor((now + limiter.wait(now)) * 1000) / 1000) == 0.0


def test_time_that_goes_back_stands_still() -> None:
    limiter = ByteLimiter(rate=100, burst=100)
    assert limiter.available(10.0) == limiter.available(9.0) == 100
    limiter.consume(100, 10.0)
    assert limiter.available(5.0) == 0
    assert limiter.available(11.0) == 100


@pytest.mark.parametrize(("rate", "burst"), [(0, 10), (-1, 10), (10, 0), (float("nan"), 10)])
def test_what_is_no_limit_is_no_limiter(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="rate must be above 0"):
        ByteLimiter(rate, burst)


@given(st.floats(0.5, 1e9), st.floats(1, 1e9), st.lists(st.tuples(st.floats(0, 10), st.booleans()), max_size=50))
def test_never_more_than_rate_and_burst_and_never_stuck(
    rate: float, burst: float, steps: list[tuple[float, bool]]
) -> None:
    limiter = ByteLimiter(rate, burst)
    now = sent = 0.0
    for pause, greedy in steps:
        now += pause
        wait = limiter.wait(now)
        assert (limiter.available(now) > 0) is (wait == 0.0)
        now += wait
        available = limiter.available(now)
        assert available > 0
        take = available if greedy else 1
        limiter.consume(take, now)
        sent += take
        assert sent <= burst + rate * now + 1.0 + 1e-6 * sent
