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
