"""The retransmission timeout (RFC 9260 §6.3.1)."""

from __future__ import annotations

import pytest

from mayfly.config import SctpConfig
from mayfly.sctp.roundtrip import RoundTrip

CONFIG = SctpConfig()


def test_before_and_after_the_first_measurement() -> None:
    trip = RoundTrip(CONFIG)
    assert trip.timeout == CONFIG.rto_initial
    trip.add(0.2)
    assert (trip.smoothed, trip.minimum, trip.latest) == (0.2, 0.2, 0.2)
    assert trip.timeout == pytest.approx(0.2 + 4 * 0.1)


def test_a_steady_path_keeps_the_margin() -> None:
    trip = RoundTrip(CONFIG)
    for _ in range(100):
        trip.add(0.05)
    assert trip.timeout == pytest.approx(0.05 + CONFIG.rto_margin)


def test_a_wavering_path_is_given_more() -> None:
    trip = RoundTrip(CONFIG)
    for index in range(100):
        trip.add(0.1 if index % 2 else 0.5)
    assert trip.smoothed is not None and trip.timeout > trip.smoothed + 0.5
    assert trip.minimum == 0.1


def test_backing_off_doubles_to_the_limit_and_settles() -> None:
    trip = RoundTrip(CONFIG)
    trip.add(0.1)
    first = trip.timeout
    trip.back_off()
    assert trip.timeout == 2 * first
    for _ in range(20):
        trip.back_off()
    assert trip.timeout == CONFIG.rto_max
    trip.settle()
    assert trip.timeout == first
