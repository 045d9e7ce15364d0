"""Numbers of short codes."""

from __future__ import annotations

from mayfly_broker.nameplates import Nameplates


def test_the_smallest_free_number_goes_out() -> None:
    plates = Nameplates(largest=3, rest=10)
    assert [plates.take(0) for _ in range(4)] == ["1", "2", "3", None]
    plates.give_back("3", 1)
    plates.give_back("1", 2)
    assert plates.take(10.9) is None
    assert plates.take(11) == "3"
    assert plates.take(12) == "1"
    assert plates.take(1e9) is None


def test_a_wish_is_granted_where_it_is_free() -> None:
    plates = Nameplates(largest=4, rest=10)
    assert [plates.take(0, "2"), plates.take(0, "2"), plates.take(0, "9"), plates.take(0, "4")] == ["2", "1", "3", "4"]
    plates.give_back("2", 0)
    plates.give_back("3", 0)
    assert plates.take(5, "2") is None
    assert plates.take(10, "3") == "3"
    assert plates.take(10) == "2"
    assert plates.take(10) is None
