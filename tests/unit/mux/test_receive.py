"""Order restored: pieces in any order, overlapping, twice; and at what price."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.mux.receive import ReceiveBuffer
from support.costs import assert_linear, grown

SOURCE = Random(1).randbytes(400_000)


def read_all(buffer: ReceiveBuffer, limit: int = 65536) -> bytes:
    """Everything that can be read."""
    found = b""
    while buffer.unread:
        found += buffer.take(limit)
    return found


@given(
    pieces=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 80)), max_size=60),
    limit=st.integers(1, 100),
    reads=st.sets(st.integers(0, 60)),
)
def test_any_pieces_give_the_source(pieces: list[tuple[int, int]], limit: int, reads: set[int]) -> None:
    buffer, have, found = ReceiveBuffer(), set[int](), b""
    for number, (offset, size) in enumerate(pieces):
        before = buffer.received
        more = buffer.insert(offset, SOURCE[offset : offset + size])
        have.update(range(offset, offset + size))
        contiguous = next(i for i in range(500) if i not in have)
        assert buffer.received == contiguous
        assert more == (contiguous > before)
        assert buffer.unread == contiguous - len(found)
        if number in reads:
            taken = buffer.take(limit)
            assert len(taken) == min(limit, contiguous - len(found))
            found += taken
    found += read_all(buffer, limit)
    assert found == SOURCE[: buffer.received]
    runs = sum(1 for i in have if i > buffer.received and i - 1 not in have)
    assert runs <= buffer.gaps <= len(pieces)


@given(seed=st.integers(0, 2**32), small=st.booleans(), limit=st.sampled_from([700, 4096, 100_000]))
def test_large_and_small_pieces_shuffled(seed: int, small: bool, limit: int) -> None:
    random, buffer, pieces, offset = Random(seed), ReceiveBuffer(), list[tuple[int, int]](), 0
    while offset < 200_000:
        size = random.randint(1, 3000 if small else 40_000)
        pieces.append((max(0, offset - random.randint(0, 500)), offset + size))
        offset += size
    random.shuffle(pieces)
    found = b""
    for start, end in pieces:
        buffer.insert(start, SOURCE[start:end])
        if random.random() < 0.3:
            found += buffer.take(limit)
    assert found + read_all(buffer, limit) == SOURCE[:offset]
    assert buffer.gaps == buffer.unread == 0


def test_pieces_in_order_behind_a_hole_join() -> None:
    buffer = ReceiveBuffer()
    for offset in range(1, 60_000):
        assert not buffer.insert(offset, SOURCE[offset : offset + 1])
    assert buffer.gaps == 1
    assert buffer.insert(0, SOURCE[:1])
    assert read_all(buffer) == SOURCE[:60_000]


def test_discard_forgets_everything_but_the_place() -> None:
    buffer = ReceiveBuffer()
    buffer.insert(0, b"abc")
    buffer.insert(9, b"z")
    buffer.discard()
    assert (buffer.gaps, buffer.unread, buffer.take(9)) == (0, 0, b"")
    assert not buffer.insert(1, b"bc")
    assert buffer.insert(3, b"def")
    assert read_all(buffer) == b"def"


def test_taking_nothing() -> None:
    buffer = ReceiveBuffer()
    assert buffer.take(10) == b""
    buffer.insert(0, b"abc")
    assert buffer.take(0) == b""
    assert buffer.take(10) == b"abc"


def held(fill: range, size: int) -> int:
    """Bytes that a buffer makes the process hold for pieces of one size."""
    buffer = ReceiveBuffer()
    return grown(lambda: [buffer.insert(offset, bytes(size)) for offset in fill])[0]


@pytest.mark.parametrize("size", [1, 3, 100, 2047, 2048])
def test_tiny_pieces_cost_little_more_than_their_bytes(size: int) -> None:
    count = min(20_000, 400_000 // size)
    assert held(range(0, count * size, size), size) < count * size * 1.3 + 20_000
    behind = range(1, 1 + count * size, size)
    assert held(behind, size) < count * size * 1.3 + 20_000


def test_a_gap_costs_less_than_the_config_says() -> None:
    assert held(range(1, 8001, 2), 1) < 4000 * 250


@pytest.mark.parametrize("chunk", [65_000, 50])
def test_what_was_read_is_not_held_by_what_was_not(chunk: int) -> None:
    buffers = [ReceiveBuffer() for _ in range(10)]

    def fill() -> None:
        for buffer in buffers:
            for offset in range(0, 65_000, chunk):
                buffer.insert(offset, bytes(chunk))
            buffer.take(64_999)
            assert buffer.unread == 1

    assert grown(fill)[0] < 10 * 5000
    assert [buffer.take(5) for buffer in buffers] == [b"\0"] * 10


def test_sending_backwards_is_not_quadratic() -> None:
    def backwards(n: int) -> None:
        buffer = ReceiveBuffer()
        for offset in range(1000 * n, 0, -1000):
            buffer.insert(offset, bytes(1000))

    assert_linear(backwards, 500)


def test_one_frame_across_thousands_of_pieces_is_not_quadratic() -> None:
    def crossing(n: int) -> None:
        buffer = ReceiveBuffer()
        for k in range(n):
            buffer.insert(128 * k + 1, bytes(8))
        buffer.insert(1, bytes(128 * n))

    assert_linear(crossing, 2000)


def test_reading_byte_by_byte_is_not_quadratic() -> None:
    def reading(n: int) -> None:
        buffer = ReceiveBuffer()
        buffer.insert(0, SOURCE[:n])
        assert b"".join(buffer.take(7) for _ in range(n // 7 + 1)) == SOURCE[:n]

    assert_linear(reading, 50_000)
