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
