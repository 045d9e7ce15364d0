"""Two of our ends on a clean path."""

from __future__ import annotations

from random import Random

import pytest

from support.associations import LIMITS, OurEnd, Pair, join
from support.network import Wire, World


@pytest.fixture
def pair() -> Pair:
    world, random = World(), Random(1)
    left = OurEnd(world, Wire(world, random), 1, limits=LIMITS)
    right = OurEnd(world, Wire(world, random), 2, limits=LIMITS)
    join(world, left, right)
    world.rest(1)
    return left, right
