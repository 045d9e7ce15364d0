"""Files that are far larger than what both ends may hold of them. 10 GB is `make bench BENCH='--only files-10gb'`."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.homes import Home
from support.mayfly import tunnel
from support.moving import MIB, PeakMemory, many_small, move, same, sparse

SIZE = 200_000_000
FILES = 2_000


@pytest.mark.slow
async def test_large_and_many_files_leave_memory_flat(tmp_path: Path) -> None:
    anna, ben = Home.made(tmp_path / "anna"), Home.made(tmp_path / "ben")
    film, crowd = anna.files / "film", anna.files / "crowd"
    sparse(film, SIZE)
    many_small(crowd, FILES)
    async with tunnel(env=anna.env, client_env=ben.env) as pair:
        for what in (film, crowd):
            peaks = [PeakMemory(end.process) for end in (pair.relay, pair.client)]
            await move(what, anna, ben)
            assert same(what, ben.files / what.name)
            assert max(peak.growth() for peak in peaks) < 64 * MIB
