"""Whoever offers one thing after the other waits, and nobody else does."""

from __future__ import annotations

import pytest

from mayfly.services.turns import Turns


def test_a_burst_at_once_and_then_at_the_rate() -> None:
    turns = Turns(rate=2.0, burst=3)
    assert [turns.take(1, 10.0) for _ in range(6)] == [0.0, 0.0, 0.0, 0.5, 1.0, 1.5]
    assert turns.take(1, 11.5) == pytest.approx(0.5)
    assert turns.take(1, 100.0) == 0.0


def test_each_peer_has_turns_of_its_own_and_a_newcomer_all_of_them() -> None:
    turns = Turns(rate=1.0, burst=1)
    assert turns.take(1, 0.0) == 0.0
    assert turns.take(1, 0.0) == 1.0
    assert turns.take(2, 0.0) == 0.0
    turns.forget(1)
    assert turns.take(1, 0.0) == 0.0
    turns.forget(3)
