"""Gap blocks: what is new is found once, whatever the blocks look like."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mayfly.sctp.ranges import newly_covered

BLOCKS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def expand(spans: list[tuple[int, int]]) -> list[int]:
    return [tsn for start, end in spans for tsn in range(start, end + 1)]


@given(st.lists(st.tuples(st.integers(0, 5), BLOCKS), max_size=6))
def test_against_a_set(sacks: list[tuple[int, list[tuple[int, int]]]]) -> None:
    highest, cumulative = 60, -1
    known: list[tuple[int, int]] = []
    held: set[int] = set()
    for moved, blocks in sacks:
        cumulative += moved
        known, fresh = newly_covered(known, blocks, cumulative, highest)
        last, told = 0, set[int]()
        for begin, end in blocks:
            if last < begin <= end and cumulative + begin <= highest:
                last = end
                told |= set(range(cumulative + begin, min(cumulative + end, highest) + 1))
        assert sorted(expand(fresh)) == sorted(told - held)
        held = {tsn for tsn in held | told if tsn > cumulative}
        assert expand(known) == sorted(held)
        assert all(a[1] < b[0] for a, b in pairwise(known))


def test_a_block_of_all_numbers_costs_nothing() -> None:
    known, fresh = newly_covered([], [(1, 65535)] * 250, 10, 10)
    assert (known, fresh) == ([], [])
