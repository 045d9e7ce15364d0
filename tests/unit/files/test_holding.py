"""The pause's table, against what it stands for: two flags."""

from __future__ import annotations

import pytest

from mayfly.files.holding import HOLD, Hold, HoldStep


@pytest.mark.parametrize("hold", Hold)
@pytest.mark.parametrize("step", HoldStep)
def test_each_side_changes_its_own_flag(hold: Hold, step: HoldStep) -> None:
    after = HOLD.get((hold, step), hold)
    us = {HoldStep.PAUSE: True, HoldStep.RESUME: False}.get(step, hold.by_us)
    peer = {HoldStep.PEER_PAUSE: True, HoldStep.PEER_RESUME: False}.get(step, hold.by_peer)
    assert (after.by_us, after.by_peer) == (us, peer)


def test_no_step_of_the_table_changes_nothing() -> None:
    assert all(before is not after for (before, _), after in HOLD.items())
