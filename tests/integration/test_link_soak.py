"""A link under load both ways at once, in two processes: `make bench BENCH='--only soak'` in short."""

from __future__ import annotations

import pytest

from bench.subjects import LINK
from bench.subjects.base import resident
from bench.subjects.channels import channel

MB = 1_000_000
SIZE = 12 * MB


@pytest.mark.slow
async def test_three_loads_both_ways_leave_memory_where_it_was() -> None:
    async with channel(LINK) as (subject, _):
        await subject.both_ways(SIZE)
        before = resident(subject.processes())
        for _ in range(3):
            await subject.both_ways(SIZE)
        assert resident(subject.processes()) - before < 32 * MB
