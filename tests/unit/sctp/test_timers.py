"""Which deadline comes when."""

from __future__ import annotations

from math import inf

import pytest

from mayfly.config import SctpConfig
from mayfly.sctp.roundtrip import RoundTrip
from mayfly.sctp.timers import Timers

CONFIG = SctpConfig()


@pytest.fixture
def trip() -> RoundTrip:
    trip = RoundTrip(CONFIG)
    for _ in range(50):
        trip.add(0.1)
    return trip


def test_before_any_measurement_there_is_t3_alone() -> None:
    timers = Timers(RoundTrip(CONFIG), CONFIG)
    timers.left(10.0)
    timers.left(10.5)
    assert (timers.t3, timers.probe, timers.next()) == (10.0 + CONFIG.rto_initial, inf, 11.0)


def test_the_probe_follows_the_last_packet_and_t3_the_first(trip: RoundTrip) -> None:
    timers = Timers(trip, CONFIG)
    timers.left(10.0)
    timers.left(10.05)
    assert timers.t3 == pytest.approx(10.3)
    assert timers.probe == pytest.approx(10.05 + 0.2 + CONFIG.probe_margin)
    assert timers.next() == timers.probe


def test_one_probe_until_something_is_acknowledged(trip: RoundTrip) -> None:
    timers = Timers(trip, CONFIG)
    timers.left(10.0)
    timers.asked(10.23)
    timers.left(10.23)
    assert timers.next() == timers.t3 == pytest.approx(10.53)
    timers.progressed(10.4, outstanding=True)
    assert timers.next() == timers.probe == pytest.approx(10.63)
    assert timers.t3 == pytest.approx(10.7)
    timers.progressed(10.5, outstanding=False)
    assert timers.next() == inf


def test_t3_goes_on_while_anything_is_outstanding(trip: RoundTrip) -> None:
    timers = Timers(trip, CONFIG)
    timers.left(10.0)
    trip.back_off()
    timers.expired(10.3, outstanding=True)
    assert timers.next() == timers.t3 == pytest.approx(10.9)
    timers.expired(10.9, outstanding=False)
    assert timers.next() == inf
