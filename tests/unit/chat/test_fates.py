"""The table of fates: every one has its row, and none leads back."""

from __future__ import annotations

from mayfly.chat.fates import NEXT, OPEN, Fate


def test_every_fate_has_a_row_and_only_open_ones_go_on() -> None:
    assert set(NEXT) == set(Fate)
    assert {fate for fate, after in NEXT.items() if after} == OPEN


def test_no_fate_comes_twice() -> None:
    def ways(fate: Fate) -> list[list[Fate]]:
        return [[fate]] + [[fate, *way] for after in NEXT[fate] for way in ways(after)]

    for way in ways(Fate.HELD):
        assert len(set(way)) == len(way) <= 3
