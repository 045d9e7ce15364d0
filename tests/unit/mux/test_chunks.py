"""Bytes in order: what goes in comes out, however it is cut, and small pieces cost little."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from mayfly.mux.chunks import JOINED, SMALL, Chunks


class Bytes(Chunks):
    """Chunks with their two verbs in the open."""

    def add(self, data: bytes) -> None:
        self._add(data)

    def cut(self, limit: int) -> bytes:
        return self._cut(limit)

    @property
    def pieces(self) -> int:
        return len(self._chunks or ())


@given(
    st.lists(
        st.one_of(
            st.sampled_from([1, 7, SMALL - 1, SMALL, SMALL + 1, JOINED]).map(lambda size: ("add", size)),
            st.integers(-1, 3 * SMALL).map(lambda size: ("cut", size)),
        ),
        max_size=60,
    )
)
def test_what_goes_in_comes_out_in_its_order(steps: list[tuple[str, int]]) -> None:
    chunks, expected, count = Bytes(), b"", 0
    for what, size in steps:
        if what == "add":
            data = bytes((count + place) % 251 for place in range(size))
            count += size
            chunks.add(data)
            expected += data
        else:
            taken = chunks.cut(size)
            assert len(taken) == max(0, min(size, len(expected)))
            assert taken == expected[: len(taken)]
            expected = expected[len(taken) :]
    assert chunks.cut(sys.maxsize) == expected
    assert chunks.pieces == 0


def test_small_pieces_are_joined_and_large_ones_are_not_copied() -> None:
    chunks = Bytes()
    for _ in range(1000):
        chunks.add(b"x")
    assert chunks.pieces == 1
    large = bytes(JOINED)
    chunks.add(large)
    assert chunks.pieces == 2
    assert chunks.cut(1000) == b"x" * 1000
    assert chunks.cut(JOINED) is large


def test_no_piece_grows_without_end() -> None:
    chunks = Bytes()
    for _ in range(100):
        chunks.add(bytes(SMALL - 1))
    assert 1 < chunks.pieces < 10
