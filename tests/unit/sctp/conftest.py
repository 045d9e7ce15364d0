"""Two of our ends on a clean path."""

from __future__ import annotations

import pytest

from support.associations import LIMITS, Pair, ends, join
from support.network import World


@pytest.fixture
def pair() -> Pair:
    world = World()
    left, right = ends(world, limits=LIMITS)
    join(world, left, right)
    world.rest(1)
    return left, right
