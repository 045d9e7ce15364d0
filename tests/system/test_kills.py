"""`mayfly send` and `mayfly receive` on a real link, ended at random points. The bench family `kills` has more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mayfly.config import FilesConfig
from support.kills import LINK, MIB, VICTIMS, Attempt, ordeal

HEADERS = 2 * MIB
"""At most, of what an attempt puts on the wire."""
POINTS = 2


@pytest.mark.needs("root", "ip")
async def test_ended_in_the_middle_the_same_commands_go_on_and_send_a_chunk_again_at_most(tmp_path: Path) -> None:
    # All at once, and one silence alone is waited for until both ends notice it; elsewhere somebody presses Ctrl-C.
    attempts: list[Attempt] = []
    async with asyncio.TaskGroup() as group:
        for victim in VICTIMS:
            (tmp_path / victim).mkdir()
            group.create_task(ordeal(tmp_path / victim, victim, POINTS, patient=victim == LINK, tell=attempts.append))
    assert len(attempts) == POINTS * len(VICTIMS)
    assert max(attempt.again for attempt in attempts) <= FilesConfig().max_unstored + HEADERS, attempts
    assert max(attempt.gained for attempt in attempts) > 0, attempts
