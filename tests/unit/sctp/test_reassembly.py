"""Runs of fragments and ordered messages, against what a list would do."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.sctp.endings import BrokenRuleError
from mayfly.sctp.reassembly import Order, Reassembly
from mayfly.sctp.wire import FIRST, LAST

WHOLE = FIRST | LAST


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_messages_come_together_in_any_order(sizes: list[int], random: Random) -> None:
    fragments = [
        (number, (FIRST if at == 0 else 0) | (LAST if at == size - 1 else 0), number, at)
        for number, size in enumerate(sizes)
        for at in range(size)
    ]
    arriving = list(enumerate(fragments))
    random.shuffle(arriving)
    held, done = Reassembly(), list[bytes]()
    for tsn, (number, flags, sequence, at) in arriving:
        run = held.add(tsn, flags, sequence, 53, bytes([number, at]))
        if run.flags & WHOLE == WHOLE:
            assert run.sequence == number
            done.append(held.take(run))
    assert sorted(done) == [b"".join(bytes([n, at]) for at in range(size)) for n, size in enumerate(sizes)]
    assert (len(held), held.size, held._by_start, held._by_end) == (0, 0, {}, {})


def test_the_message_that_is_being_received_is_taken_out_alone() -> None:
    held = Reassembly()
    held.add(4, FIRST, 9, 53, b"a")
    held.add(5, 0, 0, 53, b"b")
    assert held.take_open(4) is None
    held.add(8, 0, 0, 53, b"later")
    assert held.take_open(5) is None
    held.abandon(8)
    held.add(10, FIRST, 9, 53, b"a")
    found = held.take_open(10)
    assert found is not None and found[1] == [b"a"] and found[0].sequence == 9
    assert (len(held), held.size) == (0, 0)


def test_what_can_no_longer_become_a_message_is_dropped() -> None:
    held = Reassembly()
    held.add(1, 0, 0, 53, b"no beginning")
    held.add(3, FIRST, 0, 53, b"no end")
    held.add(6, FIRST, 0, 53, b"reaches the point")
    held.add(9, FIRST, 0, 53, b"later")
    held.abandon(6)
    assert sorted(held._fragments) == [6, 9]
    assert held.size == len(b"reaches the point") + len(b"later")


def test_ordered_messages_wait_for_earlier_ones_across_the_wrap() -> None:
    order = Order()
    order._next = 65534
    assert order.add(0, 53, b"c") == []
    assert order.add(65535, 53, b"b") == []
    assert (len(order), order.size) == (2, 2)
    assert order.add(65534, 53, b"a") == [(53, b"a"), (53, b"b"), (53, b"c")]
    assert (len(order), order.size) == (0, 0)


@pytest.mark.parametrize("sequence", [5, 7])
def test_a_number_used_twice_or_gone_by_is_malformed(sequence: int) -> None:
    order = Order()
    order._next = 6
    order.add(7, 53, b"x")
    with pytest.raises(BrokenRuleError):
        order.add(sequence, 53, b"y")


def test_skipping_gives_what_was_kept_back() -> None:
    order = Order()
    order.add(1, 53, b"1")
    order.add(4, 53, b"4")
    order.add(6, 53, b"6")
    assert order.skip(3) == [(53, b"1"), (53, b"4")]
    assert order.skip(2) == []
    assert order.skip(5) == [(53, b"6")]
    assert order.add(7, 53, b"7") == [(53, b"7")]
