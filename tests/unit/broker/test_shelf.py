"""Boxes of postings: what is found, by chance, and that the search never walks over postings."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.rendezvous.messages import About, Want
from mayfly_broker.shelf import FITTING, LEVELS, Box, Shelf, level


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=40))
def test_a_box_is_a_set(steps: list[tuple[bool, int]]) -> None:
    box, model = Box(), set[str]()
    for add, number in steps:
        item = str(number)
        if add and item not in model:
            box.add(item)
            model.add(item)
        elif not add and item in model:
            box.remove(item)
            model.remove(item)
        assert sorted(box.items) == sorted(model)


@pytest.mark.parametrize(
    ("load", "taken", "capacity", "expected"),
    [
        (0, 0, 4, 0),
        (0, 1, 4, 2),
        (0, 3, 4, 6),
        (0.5, 0, 4, 4),
        (1, 0, 4, 7),
        (0, 4, 4, 7),
        (0, 0, 0, 7),
        (0.1, 9, 4, 7),
    ],
)
def test_levels(load: float, taken: int, capacity: int, expected: int) -> None:
    assert level(About("direct", load=load), taken, capacity) == expected
    assert 0 <= expected < LEVELS


def test_an_id_is_in_one_place() -> None:
    shelf = Shelf()
    shelf.put("a", About("direct"), 0)
    shelf.put("a", About("direct"), 0)
    shelf.put("a", About("tor"), 3)
    assert len(shelf) == 1
    assert shelf.find(Want(upstream="direct"), (), lambda _: 0) is None
    assert shelf.find(Want(upstream="tor"), (), lambda _: 0) == "a"
    shelf.take("a")
    shelf.take("a")
    assert len(shelf) == 0
    assert shelf.find(Want(), (), lambda _: 0) is None


def test_chance_is_even_over_boxes_of_any_size() -> None:
    shelf, draw = Shelf(), random.Random(3)
    for number in range(30):
        shelf.put(f"d{number}", About("direct"), 0)
    shelf.put("t", About("tor"), 0)
    seen = Counter(shelf.find(Want(), (), draw.randrange) for _ in range(6200))
    assert len(seen) == 31
    assert 100 < min(seen.values()) <= max(seen.values()) < 320


@given(st.sets(st.integers(0, 11)), st.integers(0, 11))
def test_whoever_is_not_excluded_is_found(excluded: set[int], start: int) -> None:
    shelf = Shelf()
    for number in range(12):
        shelf.put(str(number), About(("direct", "tor", "http")[number % 3]), 0)
    found = shelf.find(Want(), {str(number) for number in excluded}, lambda total: start % total)
    if len(excluded) == 12:
        assert found is None
    else:
        assert found is not None
        assert int(found) not in excluded


def test_a_search_among_ten_thousand_draws_once() -> None:
    shelf, drawn = Shelf(), []
    for number in range(10_000):
        shelf.put(str(number), About("direct", "open", ("web",)), 0)

    def draw(total: int) -> int:
        drawn.append(total)
        return total - 1

    assert shelf.find(Want("open", "direct", "web"), ("9999",), draw) == "0"  # on from the last one to the first
    assert drawn == [10_000]


def test_every_nat_can_meet_somebody_and_never_the_impossible() -> None:
    assert set(FITTING) == {"open", "cone", "symmetric", "unknown"}
    assert "symmetric" not in FITTING["cone"]
    assert {"symmetric", "cone"}.isdisjoint(FITTING["symmetric"])
    assert all(FITTING.values())
