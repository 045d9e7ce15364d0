"""How soon a download fills a far path: the windows of both layers together, on a virtual clock.

200 Mbit/s at 100 ms hold 2.5 MB. Slow start from ten packets needs eight round trips for that, in which an ideal sender
falls 0.7 s behind one that sends at the full rate from the first moment; 93 % of the bytes on the wire are data.
"""

from __future__ import annotations

import pytest

from support.download import Tunnel

RATE = 25_000_000
ROUND_TRIP = 0.1


@pytest.fixture
def tunnel() -> Tunnel:
    return Tunnel(round_trip=ROUND_TRIP, rate=RATE, queue=RATE // 10)


def test_a_new_link_fills_its_path_as_fast_as_slow_start_can(tunnel: Tunnel) -> None:
    second = tunnel.download(RATE)
    assert second < 1 / 0.93 + 0.7 + 1.5 * ROUND_TRIP


def test_a_new_stream_of_a_link_that_is_known_to_be_fast_loses_two_round_trips_and_no_more(tunnel: Tunnel) -> None:
    tunnel.download(RATE)
    tunnel.download(RATE // 2)
    second = tunnel.download(RATE)
    assert second < 1 / 0.93 + 2.5 * ROUND_TRIP


def test_small_requests_cost_a_round_trip_and_larger_ones_two(tunnel: Tunnel) -> None:
    tunnel.download(RATE)
    assert tunnel.download(1000) < 1.2 * ROUND_TRIP
    assert tunnel.download(500_000) < 2.5 * ROUND_TRIP, "the first of them brings what HELLO promised"
