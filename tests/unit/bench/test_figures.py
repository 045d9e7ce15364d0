"""The bench's own arithmetic: medians, ratios, how many samples they rest on, and who takes turns."""

from __future__ import annotations

import pytest

from bench.family import in_turns, median, ratio
from bench.figures import Figures, Found


def figures(**samples: tuple[float, ...]) -> Figures:
    found = Figures()
    for subject, values in samples.items():
        for value in values:
            found.add("f", subject, "down", value)
    return found


def test_a_ratio_is_of_medians_and_counts_the_scarcer() -> None:
    found = figures(ours=(1, 9, 8, 8), theirs=(2, 2, 90), zero=(0,))
    assert ratio("f", "down", "ours", "theirs")(found) == Found(4.0, 3)
    assert ratio("f", "down", "ours", "nobody")(found) is None
    assert ratio("f", "down", "nobody", "ours")(found) is None
    assert ratio("f", "down", "ours", "zero")(found) is None


def test_one_median_may_be_scaled() -> None:
    assert median("f", "down", "ours", scale=0.5)(figures(ours=(1, 9, 8))) == Found(4.0, 3)
    assert median("f", "down", "ours")(Figures()) is None


def test_remarks_are_kept_once_and_subjects_in_their_order() -> None:
    found = figures(second=(1,), first=(2,))
    for _ in range(2):
        found.note("f", "left out")
    assert found.notes["f"] == ["left out"]
    assert found.subjects("f") == ["second", "first"] and found.subjects("g") == []


def test_looking_keeps_nothing() -> None:
    found = Figures()
    assert found.of("f", "ours", "down") == [] and found.median("f", "ours", "down") is None
    assert not found.samples


@pytest.mark.parametrize(
    ("subjects", "rounds", "order"),
    [(["a", "b"], 3, [(1, ["a", "b"]), (2, ["b", "a"]), (3, ["a", "b"])]), ([], 1, [(1, [])])],
)
def test_who_begins_changes_with_the_round(
    subjects: list[str], rounds: int, order: list[tuple[int, list[str]]]
) -> None:
    assert list(in_turns(subjects, rounds)) == order
