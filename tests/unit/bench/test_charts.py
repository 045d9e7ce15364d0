"""Charts that can be drawn: well formed, a line for each subject, axes that hold every point."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.charts import draw, log_ticks, ticks
from bench.family import Chart, Family, Row, Run
from bench.figures import Figures


async def nothing(run: Run) -> None:
    """Measures nothing."""


def family(chart: Chart) -> Family:
    return Family("f", "a family", nothing, rows=(Row("down", "download", "MB/s"),), charts=(chart,))


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
    (path,) = draw([family(chart)], found, tmp_path)
    texts = [element.text for element in ElementTree.parse(path).iter() if element.tag.endswith("text")]
    assert {"title & more", "a <b>", "c"} <= set(texts) and "one point only" not in texts


def test_a_chart_without_a_line_is_not_drawn(tmp_path: Path) -> None:
    assert draw([family(Chart("drawn", "t", "x", "y", (("r0", 0.0),)))], Figures(), tmp_path) == []
