"""The bench's own arithmetic: medians, ratios, promises kept and missed, charts that can be drawn."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.charts import draw, log_ticks, ticks
from bench.families import all_families
from bench.family import Bar, Chart, Family, Row, Run, in_turns, median, ratio
from bench.figures import Figures
from bench.show import verdicts


async def nothing(run: Run) -> None:
    """Measures nothing."""


def figures(**samples: tuple[float, ...]) -> Figures:
    found = Figures()
    for subject, values in samples.items():
        for value in values:
            found.add("f", subject, "down", value)
    return found


def family(*bars: Bar, charts: tuple[Chart, ...] = ()) -> Family:
    return Family("f", "a family", nothing, rows=(Row("down", "download", "MB/s"),), bars=bars, charts=charts)


def test_a_promise_is_held_against_medians() -> None:
    found = figures(ours=(1, 9, 8), theirs=(2, 2, 90))
    at_least = Bar("ratio", ratio("f", "down", "ours", "theirs"), 4)
    at_most = Bar("ours", median("f", "down", "ours"), 7.9, at_most=True)
    absent = Bar("other", ratio("f", "down", "ours", "nobody"), 1)
    results = verdicts([family(at_least, at_most, absent)], found)
    assert [(each.found, each.kept) for each in results] == [(4.0, True), (8.0, False), (None, None)]
    assert "not measured" in results[2].text and "4.00 (at least 4)" in results[0].text


def test_who_begins_changes_with_the_round() -> None:
    assert list(in_turns(["a", "b"], 3)) == [(1, ["a", "b"]), (2, ["b", "a"]), (3, ["a", "b"])]
    assert list(in_turns([], 1)) == [(1, [])]


@pytest.mark.parametrize("top", [0.3, 1, 7, 99, 101, 1234])
def test_ticks_are_few_and_reach_the_top(top: float) -> None:
    found = ticks(top)
    assert found[0] == 0 and found[-1] >= top and 3 <= len(found) <= 7


def test_log_ticks_hold_both_ends() -> None:
    assert log_ticks(0.12, 20) == [0.1, 1.0, 10.0, 100.0]


@pytest.mark.parametrize("log_y", [False, True])
def test_a_chart_is_well_formed_and_has_a_line_for_each_subject(log_y: bool, tmp_path: Path) -> None:
    found = Figures()
    for subject in ("a <b>", "c"):
        for row, value in (("r0", 10.0), ("r1", 0.5)):
            found.add("f", subject, row, value)
    found.add("f", "one point only", "r0", 3)
    chart = Chart("drawn", "title & more", "x", "y", (("r0", 0.0), ("r1", 5.0)), log_y=log_y)
    (path,) = draw([family(charts=(chart,))], found, tmp_path)
    texts = [element.text for element in ElementTree.parse(path).iter() if element.tag.endswith("text")]
    assert {"title & more", "a <b>", "c"} <= set(texts) and "one point only" not in texts


def test_every_family_can_be_read_and_names_are_taken_once() -> None:
    families = all_families()
    assert len({each.name for each in families}) == len(families) > 1
    for each in families:
        for bar in each.bars:
            assert bar.found(Figures()) is None, "a promise that was not measured is not judged"
