"""What is noted of packets that leave, so that their acknowledgement tells a rate."""

from __future__ import annotations

from mayfly.sctp.delivery import Delivery
from mayfly.sctp.samples import Departure


def noted(departure: Departure) -> tuple[float, int, float, float, int]:
    return departure.time, departure.delivered, departure.delivered_time, departure.first, departure.in_flight


def test_a_rate_is_what_arrived_over_the_longer_of_sending_and_being_acknowledged() -> None:
    delivery = Delivery()
    first = delivery.departure(1.0, 0, idle=True)
    assert noted(first) == (1.0, 0, 1.0, 1.0, 0)
    second = delivery.departure(1.1, 500, idle=False)
    delivery.arrived(500, 1.2)
    delivery.sampled(first)
    third = delivery.departure(1.3, 700, idle=False)
    assert noted(third) == (1.3, 500, 1.2, 1.0, 700)
    delivery.arrived(700, 1.4)
    delivery.sampled(second)
    assert (delivery.total, delivery.last) == (1200, 1.4)
    assert noted(delivery.departure(1.5, 9, idle=False)) == (1.5, 1200, 1.4, 1.1, 9)


def test_after_a_pause_the_measurement_begins_anew() -> None:
    delivery = Delivery()
    delivery.arrived(500, 1.2)
    delivery.sampled(delivery.departure(1.0, 0, idle=True))
    assert noted(delivery.departure(9.0, 0, idle=True)) == (9.0, 500, 9.0, 9.0, 0)


def test_what_left_for_want_of_data_says_so_until_it_has_arrived() -> None:
    delivery = Delivery()
    assert not delivery.departure(1.0, 0, idle=True).app_limited
    delivery.ran_dry(300)
    assert delivery.departure(1.1, 300, idle=False).app_limited
    delivery.arrived(300, 1.2)
    assert delivery.departure(1.3, 0, idle=True).app_limited
    delivery.arrived(1, 1.4)
    assert not delivery.departure(1.5, 0, idle=True).app_limited
