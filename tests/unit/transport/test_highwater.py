"""The mark follows the rate, and stays within its bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mayfly.transport.highwater import HighWater

LEAST, MOST = 32_000, 256_000


def after(rate: float, seconds: float, mark: HighWater | None = None, begin: float = 0.0) -> HighWater:
    """The mark of a link that has carried so many bytes a second."""
    mark = mark or HighWater(LEAST, MOST, begin)
    for step in range(round(seconds * 1000)):
        now = begin + (step + 1) / 1000
        mark.moved(round(rate * now), now)
    return mark


def test_a_link_that_carries_nothing_takes_little() -> None:
    assert HighWater(LEAST, MOST, 0.0).mark == LEAST
    assert after(1_000, 1.0).mark == LEAST


def test_two_milliseconds_of_a_transfer_may_wait() -> None:
    assert 90_000 <= after(50_000_000, 1.0).mark <= 110_000
    assert after(500_000_000, 1.0).mark == MOST


def test_a_batch_may_wait_where_it_leaves_soon() -> None:
    assert 45_000 <= after(2_000_000, 1.0).mark <= 55_000
    assert after(2_700_000, 1.0).mark == after(30_000_000, 1.0).mark == 65_536


def test_it_has_grown_after_a_few_hundredths_of_a_second() -> None:
    assert after(100_000_000, 0.03).mark > 150_000


def test_a_burst_counts_while_it_lasts() -> None:
    """As when the acknowledgements of a far path's whole round trip come within a few milliseconds."""
    mark = HighWater(LEAST, MOST, 0.0, span=0.02)
    mark.moved(0, 10.0)
    for step in range(1, 6):
        mark.moved(step * 40_000, 10.0 + step / 1000)
    assert mark.mark == 200_000


def test_a_moment_s_pause_of_a_transfer_costs_a_fifth() -> None:
    mark = after(100_000_000, 1.0)
    before = mark.mark
    mark.moved(100_000_000, 1.025)
    assert 0.75 * before < mark.mark < 0.85 * before


def test_it_falls_when_a_transfer_ends() -> None:
    mark = after(100_000_000, 1.0)
    for step in range(1, 1001):
        mark.moved(100_000_000, 1.0 + step / 1000)
    assert mark.mark == LEAST


def test_a_cap_below_the_least_is_kept() -> None:
    assert HighWater(LEAST, 10_000, 0.0).mark == 10_000


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.floats(0, 1000)), max_size=50))
def test_it_stays_within_its_bounds(moves: list[tuple[int, float]]) -> None:
    mark = HighWater(LEAST, MOST, 0.0)
    total, now = 0, 0.0
    for size, seconds in moves:
        total, now = total + size, now + seconds
        mark.moved(total, now)
        assert LEAST <= mark.mark <= MOST
