"""Rates and rooms."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mayfly_broker.limits import RateLimit, Room


def test_a_burst_and_then_the_rate() -> None:
    limit = RateLimit(rate=2, burst=3, size=10)
    assert [limit.take("a", 0) for _ in range(4)] == [None, None, None, 0.5]
    assert limit.take("b", 0) is None
    assert limit.take("a", 0.4) is not None
    assert limit.take("a", 0.5) is None
    assert [limit.take("a", 100) for _ in range(4)] == [None, None, None, 0.5]


@given(st.lists(st.floats(0, 3), max_size=60))
def test_no_more_than_the_burst_and_the_rate_pass(gaps: list[float]) -> None:
    limit, now, passed = RateLimit(rate=2, burst=5, size=10), 0.0, 0
    for gap in gaps:
        now += gap
        passed += limit.take("a", now) is None
    assert passed <= 5 + 2 * now + 1e-6


def test_refusals_cost_nothing_and_only_so_many_are_remembered() -> None:
    limit = RateLimit(rate=1, burst=1, size=5)
    limit.take("a", 0)
    for _ in range(50):
        limit.take("a", 0)
    assert limit.take("a", 1) is None
    for number in range(20):
        limit.take(str(number), 1)
    assert len(limit) == 5


def test_a_room_counts_all_and_each() -> None:
    room = Room(most=3, most_each=2)
    assert [room.enter("a"), room.enter("a"), room.enter("a"), room.enter(None), room.enter("b")] == [
        True, True, False, True, False,
    ]  # fmt: skip
    room.leave("a")
    assert room.enter("b")
    for name in ("a", "b", None):
        room.leave(name)
    assert room.total == 0
    assert not vars(room)["_each"]
