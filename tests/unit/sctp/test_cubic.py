"""CUBIC on its own: how the window grows, gives way, and comes back."""

from __future__ import annotations

import pytest

from mayfly.sctp.cubic import Cubic
from mayfly.sctp.samples import AckSample, Departure, LossSample

PACKET = 1000


class Path:
    """A path of 100 ms on which everything sent is acknowledged a round trip later."""

    def __init__(self) -> None:
        self.cubic = Cubic(PACKET)
        self.now = 10.0
        self.delivered = 0

    def departure(self) -> Departure:
        return Departure(self.now - 0.1, self.delivered, self.now - 0.1, self.now - 0.2, 0, app_limited=False)

    def round(self, *, limited: bool = True, round_trip: float = 0.1) -> int:
        """A window's worth of acknowledgements, ten at least."""
        window = self.cubic.window
        departure = self.departure()
        for _ in range(10):
            self.delivered += window // 10
            in_flight = window if limited else window // 4
            self.cubic.on_acknowledged(
                AckSample(
                    self.now, window // 10, 0, self.delivered, in_flight, departure, round_trip, 0.1, 0.1, limited
                )
            )
        self.now += 0.1
        return self.cubic.window

    def lose(self, sent_before: float = 0.05) -> int:
        sent = self.now - sent_before
        self.cubic.on_lost(LossSample(self.now, PACKET, sent, self.cubic.window, self.departure()))
        return self.cubic.window


def test_ten_packets_at_first_doubled_each_round_trip() -> None:
    path = Path()
    assert path.cubic.window == 10 * PACKET and path.cubic.pacing_rate is None
    assert path.round() == 20 * PACKET
    assert path.round() == 40 * PACKET
    assert path.cubic.pacing_rate == pytest.approx(2 * 40 * PACKET / 0.1)


def test_a_window_that_is_not_used_does_not_grow() -> None:
    path = Path()
    assert path.round(limited=False) == 10 * PACKET
    path.round()
    path.lose()
    path.now += 1
    before = path.cubic.window
    for _ in range(50):
        path.round(limited=False)
    assert path.cubic.window == before


def test_one_reduction_for_everything_that_was_in_flight() -> None:
    path = Path()
    for _ in range(4):
        path.round()
    before = path.cubic.window
    assert path.lose() == int(0.7 * before)
    assert path.lose(sent_before=0.02) == int(0.7 * before)
    path.now += 0.2
    assert path.lose() == int(0.49 * before)


def test_the_curve_is_steep_flat_and_steep_again() -> None:
    path = Path()
    for _ in range(6):
        path.round()
    top = path.cubic.window
    path.lose()
    path.now += 0.2
    windows = [path.round() for _ in range(160)]
    reached = next(index for index, window in enumerate(windows) if window >= top)
    k = (0.3 * top / PACKET / 0.4) ** (1 / 3)
    assert reached / 10 == pytest.approx(k, abs=0.5)
    early, flat, late = windows[5] - windows[0], windows[reached + 3] - windows[reached - 3], windows[-1] - windows[-6]
    assert early > 4 * flat and late > 4 * flat


def test_fast_convergence() -> None:
    path = Path()
    for _ in range(6):
        path.round()
    path.lose()
    path.now += 0.2
    path.round()
    below = path.cubic.window
    path.lose()
    assert path.cubic._w_max == pytest.approx(below * 0.85, rel=0.01)


def test_after_a_timeout_slow_start_up_to_the_threshold() -> None:
    path = Path()
    for _ in range(5):
        path.round()
    before = path.cubic.window
    path.cubic.on_timeout(path.now, before)
    assert path.cubic.window == PACKET
    path.now += 0.2
    for _ in range(30):
        if path.round() >= 0.7 * before:
            break
    assert path.cubic.window == pytest.approx(0.7 * before, rel=0.02)
    again = path.round()
    assert again < 1.2 * 0.7 * before, "congestion avoidance from there"
    path.cubic.on_timeout(path.now, 0)
    assert path.cubic._threshold == pytest.approx(0.7 * before, rel=0.02), "nothing was in flight, nothing learnt"


def test_idle_halves_down_to_the_initial_window() -> None:
    path = Path()
    for _ in range(5):
        path.round()
    before = path.cubic.window
    path.cubic.on_idle(path.now, 0.5, 0.4)
    assert path.cubic.window == before // 2
    path.cubic.on_idle(path.now, 1e9, 0.4)
    assert path.cubic.window == 10 * PACKET


def test_the_curve_goes_on_after_a_pause_that_is_shorter_than_the_timeout() -> None:
    """All that was in flight came acknowledged at once, as it does to a loop that wakes late."""
    path = Path()
    path.cubic._epoch = path.now
    path.cubic.on_idle(path.now, 0.1, 0.4)
    assert path.cubic._epoch == path.now
    path.cubic.on_idle(path.now, 0.5, 0.4)
    assert path.cubic._epoch is None


def test_a_larger_packet_counts_from_the_start_but_shrinks_nothing() -> None:
    path = Path()
    path.cubic.resize(16_000)
    assert path.cubic.window == 160_000
    path.round()
    path.cubic.resize(PACKET)
    assert path.cubic.window == 320_000
