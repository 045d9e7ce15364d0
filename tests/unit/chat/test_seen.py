"""What has come before is known, apart for each neighbour, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mayfly.chat.seen import MAX_AUTHORS, MAX_WAYS, Seen


@given(st.lists(st.tuples(st.sampled_from([b"n", b"s"]), st.sampled_from([b"a", b"b"]), st.integers(1, 6))))
def test_a_number_is_new_once_and_only_above_all_before(messages: list[tuple[bytes, bytes, int]]) -> None:
    seen = Seen()
    highest: dict[tuple[bytes, bytes], int] = {}
    for way, author, number in messages:
        before = highest.get((way, author), 0)
        assert seen.first_time(way, author, number) == (number > before)
        highest[way, author] = max(before, number)


def test_one_neighbour_cannot_spoil_what_another_brings() -> None:
    seen = Seen()
    assert seen.first_time(b"evil", b"ann", 1 << 61)
    assert seen.first_time(b"good", b"ann", 1)


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    seen = Seen()
    for number in range(2 * MAX_AUTHORS):
        assert seen.first_time(b"way", number.to_bytes(16, "big"), 1)
        assert not seen.first_time(b"way", (0).to_bytes(16, "big"), 1), "what is in use is not forgotten"
    for number in range(2 * MAX_WAYS):
        seen.first_time(number.to_bytes(16, "big"), b"ann", 1)
    assert len(seen._ways) == MAX_WAYS
    assert all(len(authors) <= MAX_AUTHORS for authors in seen._ways.values())
    assert seen.first_time(b"way", b"x", 1)
