"""Events: an undelivered message is final unless it is kept."""

from __future__ import annotations

import pytest

from mayfly.chat.events import Undelivered
from mayfly.chat.fates import Fate


@pytest.mark.parametrize(
    ("fate", "final"), [(Fate.AWAY, False), (Fate.GONE, True), (Fate.FULL, True), (Fate.UNKNOWN, True)]
)
def test_final(fate: Fate, final: bool) -> None:
    assert Undelivered(1, "ann", fate, certain=True).final is final
