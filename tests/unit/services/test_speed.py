"""The rate of the last seconds."""

from __future__ import annotations

from mayfly.services.speed import WINDOW, Speed


def test_a_first_sample_has_no_rate() -> None:
    assert Speed().update(100, 5.0) == 0.0


def test_the_rate_is_that_of_the_window_alone() -> None:
    speed = Speed()
    speed.update(0, 0.0)
    assert speed.update(1000, 1.0) == 1000.0
    for second in range(2, 20):
        rate = speed.update(1000, float(second))
    assert rate == 0.0
    assert len(speed._samples) <= WINDOW + 2


def test_two_samples_at_once_divide_by_nothing() -> None:
    speed = Speed()
    speed.update(0, 1.0)
    assert speed.update(10, 1.0) == 0.0
