"""What the families promise, judged from figures made up for it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from bench.__main__ import choose
from bench.families import all_families, scaling, soak
from bench.families.distance import FAMILY as DISTANCE
from bench.family import Bar, Family, greatest
from bench.figures import Figures, Found
from bench.subjects import TUNNEL

ISSUE = {
    "speed": 8,  # three ratios both ways, first byte, small fetches
    "idle": 3,
    "distance": 1,
    "start": 1,
    "scaling": 4,
}
"""The families behind the table of what the link and the tunnel promise, and how many bars each has."""


def named(name: str) -> Family:
    return next(family for family in all_families() if family.name == name)


def filled(family: str, subject: str, values: dict[str, Iterable[float]]) -> Figures:
    figures = Figures()
    for row, samples in values.items():
        for value in samples:
            figures.add(family, subject, row, value)
    return figures


def test_every_family_can_be_read_and_names_are_taken_once() -> None:
    families = all_families()
    assert len({each.name for each in families}) == len(families) > 1
    for each in families:
        for bar in each.bars:
            assert bar.found(Figures()) is None, "a promise that was not measured is not judged"


def test_the_bars_alone_are_every_promise_of_link_and_tunnel() -> None:
    chosen = choose(all_families(), set(), bars=True)
    assert {family.name: len(family.bars) for family in chosen} == ISSUE


def test_a_name_wins_over_what_is_run_by_default() -> None:
    families = all_families()
    assert [each.name for each in choose(families, {"soak"}, bars=False)] == ["soak"]
    assert [each.name for each in choose(families, {"speed"}, bars=True)] == ["speed"]
    assert "soak" not in {each.name for each in choose(families, set(), bars=False)}


@pytest.mark.parametrize("name", ISSUE)
def test_bars_look_at_rows_that_exist_and_subjects_that_are_measured_for_them(name: str) -> None:
    family = named(name)
    figures = Figures()
    for subject in family.for_bars:
        for row in family.rows:
            figures.add(family.name, subject, row.key, 1.0)
    assert all(bar.found(figures) is not None for bar in family.bars)


def test_the_share_of_a_far_link() -> None:
    (bar,) = DISTANCE.bars
    found = bar.found(filled("distance", TUNNEL, {"long": (20, 22.5, 25)}))
    assert found is not None and found.value == pytest.approx(0.9) and found.samples == 3


def scaling_bar(row: str) -> Bar:
    return scaling.FAMILY.bars[("bytes", "streams", "fetches", "clients").index(row)]


def test_a_dearer_first_unit_is_linear_and_dearer_further_ones_are_not() -> None:
    def found(*each: float) -> float:
        rows = {f"streams {count}": [cost] * 5 for count, cost in zip(scaling.STREAMS, each, strict=True)}
        result = scaling_bar("streams").found(filled("scaling", scaling.SUBJECT, dict(rows)))
        assert result is not None and result.samples == 5
        return result.value

    assert found(4.0, 1.3, 1.03, 1.003) == pytest.approx(0, abs=0.01)
    assert found(1, 1, 1, 2) > scaling.BAR < found(4, 1, 1, 2)


def test_a_scale_with_a_row_missing_is_not_judged() -> None:
    assert scaling_bar("clients").found(filled("scaling", scaling.SUBJECT, {"clients 1": [1.0]})) is None


@pytest.mark.parametrize(("amount", "times"), [(1, 300), (10, 30), (100, 3), (256, 2), (300, 1), (1000, 1)])
def test_little_work_is_repeated(amount: int, times: int) -> None:
    assert scaling.turns(amount, 300) == times


def test_memory_is_held_against_the_second_quarter_of_the_time() -> None:
    grown = [(1.0, 900), (3.0, 50), (4.0, 60), (6.0, 70), (8.0, 65)]
    assert soak.plateau(grown) == (60, 70)
    assert soak.plateau([(1.0, 50), (8.0, 55)]) == (50, 55), "no transfer ended in that quarter"


def test_the_worst_counts_where_one_is_enough() -> None:
    worst = greatest("soak", "growth", "s")
    assert worst(filled("soak", "s", {"growth": (1, 7, 3)})) == Found(7, 3)
    assert worst(Figures()) is None
