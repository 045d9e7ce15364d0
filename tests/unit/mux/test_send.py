"""Bytes that wait to be sent."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import MuxConfig
from mayfly.mux.send import SendBuffer, SendPool
from support.costs import grown

SOURCE = Random(2).randbytes(200_000)


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 5000) | st.integers(0, 20)), max_size=60))
def test_what_goes_in_comes_out_in_order(steps: list[tuple[bool, int]]) -> None:
    buffer, put, taken = SendBuffer(SendPool(MuxConfig())), 0, b""
    for putting, size in steps:
        if putting and size:
            piece = SOURCE[put : put + size]
            buffer.append(piece)
            put += len(piece)
        else:
            found = buffer.take(size)
            assert len(found) == min(size, put - len(taken))
            taken += found
        assert buffer.size == put - len(taken)
    assert taken + buffer.take(1 << 20) == SOURCE[:put]
    assert buffer.size == 0


def test_taking_less_than_nothing() -> None:
    buffer = SendBuffer(SendPool(MuxConfig()))
    assert buffer.take(5) == b""
    buffer.append(b"abc")
    assert buffer.take(0) == buffer.take(-5) == b""
    assert buffer.size == 3


def test_discard() -> None:
    buffer = SendBuffer(SendPool(MuxConfig()))
    buffer.append(b"abc")
    buffer.take(1)
    buffer.discard()
    assert (buffer.size, buffer.take(9)) == (0, b"")
    buffer.append(b"xyz")
    assert buffer.take(9) == b"xyz"


def test_single_bytes_cost_little_more_than_a_byte() -> None:
    buffer = SendBuffer(SendPool(MuxConfig()))

    def fill() -> None:
        for _ in range(30_000):
            buffer.append(b"x")

    assert grown(fill)[0] < 45_000


def test_a_caller_s_buffer_may_change_afterwards() -> None:
    buffer, mine = SendBuffer(SendPool(MuxConfig())), bytearray(b"abc")
    buffer.append(bytes(mine))
    mine[:] = b"xyz"
    assert buffer.take(3) == b"abc"
