"""How long a broker that leaves still stays."""

from __future__ import annotations

from mayfly_broker.drain import Drain


async def test_it_counts_down() -> None:
    drain = Drain()
    assert not drain
    assert drain.left() is None
    drain.begin(10)
    assert drain
    left = drain.left()
    assert left is not None
    assert 9 < left <= 10
    drain.begin(-1)
    assert drain.left() == 0
