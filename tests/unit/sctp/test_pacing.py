"""Bursts and rates."""

from __future__ import annotations

import pytest

from mayfly.sctp.pacing import Pacer


def test_the_rate_is_kept_over_time() -> None:
    pacer, now, sent = Pacer(), 5.0, 0
    for _ in range(1000):
        allowance = pacer.allowance(1e6, 1000, now)
        if allowance > 0:
            pacer.spend(int(allowance))
            sent += int(allowance)
        now = max(now + 0.0001, pacer.ready(1e6, 1000))
    assert sent == pytest.approx(1e6 * (now - 5.0), rel=0.05)


def test_a_burst_is_ten_packets_or_two_milliseconds() -> None:
    assert Pacer().allowance(1e6, 1000, 0.0) == 10_000
    assert Pacer().allowance(1e8, 1000, 0.0) == 200_000


def test_waiting_is_for_half_a_burst_so_that_timers_are_few() -> None:
    pacer = Pacer()
    pacer.spend(5)  # nothing is known of a rate yet
    assert pacer.allowance(1e6, 1000, 1.0) == 10_000
    pacer.spend(10_000)
    assert pacer.ready(1e6, 1000) == pytest.approx(1.005)
    assert pacer.allowance(1e6, 1000, 1.005) == pytest.approx(5000)
    assert pacer.allowance(1e6, 1000, 99.0) == 10_000


@pytest.mark.parametrize(("spent", "ready"), [(12_000, 1.007), (7_000, 1.002), (3_000, 1.0)])
def test_what_was_overdrawn_is_waited_for_too(spent: int, ready: float) -> None:
    pacer = Pacer()
    assert pacer.allowance(1e6, 1000, 1.0) == 10_000
    pacer.spend(spent)
    assert pacer.ready(1e6, 1000) == pytest.approx(ready)


def test_what_a_late_loop_missed_leaves_when_it_wakes() -> None:
    pacer = Pacer()
    assert pacer.allowance(1e7, 1000, 1.0) == 20_000
    pacer.spend(20_000)
    due = pacer.ready(1e7, 1000)
    assert pacer.allowance(1e7, 1000, due + 0.01, due) == pytest.approx(110_000)
    pacer.spend(110_000)
    due = pacer.ready(1e7, 1000)
    assert pacer.allowance(1e7, 1000, due + 9.0, due) == pytest.approx(260_000), "as far as 25 ms go"


def test_who_did_not_wait_for_the_pacer_has_missed_nothing() -> None:
    pacer = Pacer()
    pacer.spend(int(pacer.allowance(1e7, 1000, 1.0)))
    assert pacer.allowance(1e7, 1000, 1.1) == 20_000
    pacer.spend(20_000)
    due = pacer.ready(1e7, 1000)
    assert pacer.allowance(1e7, 1000, due - 0.0005, due) == pytest.approx(5_000)
