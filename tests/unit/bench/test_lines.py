"""A straight line is found through costs that have one, and costs that grow faster are seen to be off it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.families.scaling import BAR, CLIENTS, SIZES, STREAMS
from bench.lines import Line, fit

positive = st.floats(1e-3, 1e3)
works = st.lists(st.floats(1, 1e4), min_size=1, max_size=8, unique=True)


@given(fixed=st.floats(0, 1e3), each=positive, amounts=works)
def test_a_straight_cost_lies_on_its_line(fixed: float, each: float, amounts: list[float]) -> None:
    points = [(work, fixed + each * work) for work in amounts]
    line = fit(points)
    assert line.fixed >= 0 and line.each >= 0
    assert line.deviation(points) < 1e-3


@given(points=st.lists(st.tuples(positive, positive), min_size=2, max_size=8))
def test_neither_part_is_ever_negative_and_no_flat_or_steep_line_is_nearer(points: list[tuple[float, float]]) -> None:
    line = fit(points)
    assert line.fixed >= 0 and line.each >= 0

    def squares(candidate: Line) -> float:
        return sum((candidate.at(work) / cost - 1) ** 2 for work, cost in points)

    for other in (
        Line(line.fixed * 1.01, line.each),
        Line(line.fixed, line.each * 1.01),
        Line(line.fixed, line.each * 0.99),
    ):
        assert squares(line) <= squares(other) + 1e-6


def test_costs_that_fall_are_taken_as_fixed() -> None:
    assert fit([(1, 4.0), (100, 2.0)]).each == 0


@pytest.mark.parametrize("amounts", [SIZES, STREAMS, CLIENTS])
@pytest.mark.parametrize(
    "cost",
    [lambda n: n**1.2, lambda n: n * math.log2(n + 1), lambda n: n * n],
    ids=["n ** 1.2", "n log n", "n squared"],
)
def test_what_grows_faster_than_the_work_misses_the_bar(cost: Callable[[int], float], amounts: tuple[int, ...]) -> None:
    points = [(float(amount), cost(amount)) for amount in amounts]
    assert fit(points).deviation(points) > BAR


@pytest.mark.parametrize("amounts", [SIZES, STREAMS, CLIENTS])
def test_what_scatters_by_a_tenth_keeps_it(amounts: tuple[int, ...]) -> None:
    points = [(float(amount), (5 + amount) * (1.1 if at % 2 else 0.9)) for at, amount in enumerate(amounts)]
    assert fit(points).deviation(points) < BAR / 2
