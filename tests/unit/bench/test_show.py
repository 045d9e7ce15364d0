"""Promises in words: kept, missed, or a look only; and the tables that people read."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.family import Bar, Family, Row, Run, median
from bench.figures import Figures
from bench.show import show_family, show_verdicts, verdicts


async def nothing(run: Run) -> None:
    """Measures nothing."""


def family(*bars: Bar) -> Family:
    rows = (Row("down", "download", "MB/s"), Row("up", "upload", "MB/s"))
    return Family("f", "a family", nothing, rows=rows, bars=bars)


def measured(*values: float) -> Figures:
    figures = Figures()
    for value in values:
        figures.add("f", "ours", "down", value)
    return figures


def shown(figures: Figures, *bars: Bar) -> str:
    console = Console(file=io.StringIO(), width=140)
    show_family(console, family(*bars), figures)
    show_verdicts(console, verdicts([family(*bars)], figures))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


FOUND = median("f", "down", "ours")


@pytest.mark.parametrize(
    ("values", "bar", "word"),
    [
        ((3, 4, 5, 6, 7), Bar("p", FOUND, 5), "kept"),
        ((3, 4, 5, 6, 7), Bar("p", FOUND, 5.1), "missed"),
        ((3, 4, 5, 6, 7), Bar("p", FOUND, 5, at_most=True), "kept"),
        ((3, 4, 5, 6, 7), Bar("p", FOUND, 4.9, at_most=True), "missed"),
        ((5, 5, 5, 5), Bar("p", FOUND, 5), "kept so far"),
        ((5, 5, 5, 5), Bar("p", FOUND, 6), "missed so far"),
        ((5,), Bar("p", FOUND, 5, enough=1), "kept"),
        ((), Bar("p", FOUND, 5), "not measured"),
    ],
)
def test_a_promise_is_judged_by_enough_samples_alone(values: tuple[float, ...], bar: Bar, word: str) -> None:
    (verdict,) = verdicts([family(bar)], measured(*values))
    assert verdict.word == word


def test_the_table_says_what_was_found_the_bar_and_the_samples() -> None:
    text = shown(
        measured(1, 2, 3, 4, 5), Bar("as fast as can be", FOUND, 2.5, " MB/s"), Bar("little", FOUND, 9, enough=6)
    )
    line = next(line for line in text.splitlines() if "as fast as can be" in line)
    assert [cell.strip() for cell in line.strip("│ ").split("│")] == [
        "as fast as can be",
        "3.00 MB/s",
        "at least 2.5 MB/s",
        "5",
        "kept",
    ]
    assert "missed so far" in text and "a look and no judgement" in text


def test_rows_that_nobody_was_measured_for_are_left_out_and_remarks_stand_below() -> None:
    figures = measured(1)
    figures.note("f", "ssh -D is left out")
    text = shown(figures)
    assert "download, MB/s" in text and "upload" not in text and "ssh -D is left out" in text
    assert "promised" not in text, "there was nothing to judge"
