"""The end of slow start, by delay."""

from __future__ import annotations

from mayfly.sctp.hystart import SlowStart
from mayfly.sctp.samples import AckSample, Departure


class Rounds:
    """Rounds of ten acknowledgements."""

    def __init__(self) -> None:
        self.slow = SlowStart()
        self.delivered = 0

    def round(self, round_trip: float) -> int:
        departure = Departure(0.0, self.delivered, 0.0, 0.0, 0, app_limited=False)
        grown = 0
        for _ in range(10):
            self.delivered += 1000
            grown += self.slow.growth(
                AckSample(1.0, 1000, 0, self.delivered, 10_000, departure, round_trip, round_trip, 0.1, True)
            )
        return grown


def test_a_steady_path_grows_by_what_is_acknowledged() -> None:
    rounds = Rounds()
    assert [rounds.round(0.1) for _ in range(20)] == [10_000] * 20
    assert not rounds.slow.over


def test_a_filling_queue_slows_growth_and_ends_it_after_five_rounds() -> None:
    rounds = Rounds()
    rounds.round(0.1)
    assert rounds.round(0.12) < 10_000
    grown = [rounds.round(0.12) for _ in range(4)]
    assert grown == [2500] * 4 and not rounds.slow.over
    rounds.round(0.12)
    assert rounds.slow.over


def test_a_false_alarm_is_taken_back() -> None:
    rounds = Rounds()
    rounds.round(0.1)
    rounds.round(0.12)
    rounds.round(0.1)
    assert rounds.round(0.1) == 10_000
    for _ in range(10):
        rounds.round(0.1)
    assert not rounds.slow.over


def test_small_rises_on_short_paths_mean_nothing() -> None:
    rounds = Rounds()
    for round_trip in (0.001, 0.002, 0.004, 0.007):
        assert rounds.round(round_trip) == 10_000
