"""A block's pieces: kept as they are, but for small ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mayfly.files.block import Block
from mayfly.files.records import BLOCK


@given(sizes=st.lists(st.integers(1, 9000), max_size=40))
def test_what_goes_in_comes_out(sizes: list[int]) -> None:
    block = Block()
    sent = [bytes((n % 256,)) * size for n, size in enumerate(sizes)]
    for piece in sent:
        block.add(piece)
    assert block.size == sum(sizes)
    pieces, size = block.take()
    assert b"".join(pieces) == b"".join(sent)
    assert size == sum(sizes)
    assert block.take() == ((), 0)


def test_large_pieces_are_not_copied() -> None:
    block = Block()
    piece = memoryview(bytes(100_000))
    block.add(piece)
    assert block.take()[0][0] is piece


def test_a_block_of_single_bytes_has_few_pieces() -> None:
    block = Block()
    for _ in range(BLOCK // 8192):
        block.add(b"x")
        block.add(bytes(8191))
    assert block.full
    assert len(block.take()[0]) <= 512
    for _ in range(10_000):
        block.add(b"y")
    assert len(block.take()[0]) == 1


def test_a_small_part_does_not_hold_what_it_was_cut_from() -> None:
    """A peer may send one piece in each message, and fill the rest with records of nothing."""
    block = Block()
    messages = [bytes(256 * 1024) for _ in range(4)]
    for message in messages:
        block.add(memoryview(message)[100:4200])
    pieces, size = block.take()
    assert size == 4 * 4100
    assert all(isinstance(piece, bytes) and len(piece) == 4100 for piece in pieces)
    half = memoryview(messages[0])[: 128 * 1024]
    block.add(half)
    assert block.take()[0][0] is half
