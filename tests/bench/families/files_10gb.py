"""Ten gigabytes as one file, beside one SOCKS download over the same link: speed and memory. Needs 11 GB of disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.families.files import FILE, ROWS, SOCKS, bars, ours
from bench.family import MB, Family, Run
from bench.subjects import TUNNEL
from bench.subjects.senders import friends
from support.http import origin
from support.moving import sparse

NAME = "files-10gb"
GB = 1000 * MB


async def measure(run: Run) -> None:
    """A download of a tenth of it before, and one after: so long a transfer meets other conditions at its end."""
    size = run.scaled(10 * GB, GB)
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as folder:
        place = Path(folder)
        film = place / "film"
        sparse(film, size)
        async with origin() as web, friends(FILE, TUNNEL, web, place) as pair:
            for number in range(run.rounds):
                run.progress(f"round {number + 1}: SOCKS")
                run.add(SOCKS, "speed", size / 10 / MB / await pair.proxy.download(size // 10))
                run.progress(f"round {number + 1}: {size / GB:g} GB as a file")
                await ours(run, FILE, pair, film, size)
                run.progress(f"round {number + 1}: SOCKS")
                run.add(SOCKS, "speed", size / 10 / MB / await pair.proxy.download(size // 10))


FAMILY = Family(NAME, "10 GB in one file", measure, rows=ROWS, bars=bars(NAME, (FILE,)), default=False)
