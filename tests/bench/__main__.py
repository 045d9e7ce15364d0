"""`make bench`: the tunnel beside a bare aiortc channel and ssh -D, measured by turns, as one table with ratios.

`make bench BENCH='--rounds 5 --save before'` keeps the figures as tests/bench/results/before.json.
Exits with 1 when a promise was missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench.figures import BARE, BARE_ASYNCIO, SSH, SUBJECTS, TUNNEL, Figures
from bench.subjects import MB, Subject, bare, cpu_seconds, ssh, whole_tunnel
from support.http import origin
from support.ssh import ssh_server

FIRST_BYTES = 30
WIDTH = 120
STREAMS = 640
FASTER = {SSH: 4}
"""Subjects that get a multiple of the bytes, or their start would count for too much."""


async def measure(subject: Subject, figures: Figures, size: int) -> None:
    """One round of one subject."""
    size *= FASTER.get(subject.name, 1)
    for key, move in (("down", subject.download), ("up", subject.upload)):
        before = cpu_seconds(subject.processes())
        seconds = await move(size)
        figures.add(subject.name, key, size / MB / seconds)
        figures.add(subject.name, f"cpu_{key}", (cpu_seconds(subject.processes()) - before) * 1000 / (size / MB))
    for _ in range(FIRST_BYTES):
        figures.add(subject.name, "first_byte", await subject.first_byte() * 1000)
    seconds_or_none = await subject.streams(STREAMS)
    if seconds_or_none is not None:
        figures.add(subject.name, "streams", STREAMS / seconds_or_none)


async def bench(arguments: argparse.Namespace, console: Console, folder: Path) -> Figures:
    """All rounds. The subjects stay up side by side and take turns; who begins changes with the round."""
    figures = Figures()
    keys = folder / "ssh"
    keys.mkdir()
    async with origin() as web, ssh_server(keys) as server, contextlib.AsyncExitStack() as stack:
        openers: dict[str, Callable[[], contextlib.AbstractAsyncContextManager[tuple[Subject, float]]]] = {
            TUNNEL: lambda: whole_tunnel(web, folder),
            SSH: lambda: ssh(server, web, folder),
            BARE: lambda: bare(BARE),
            BARE_ASYNCIO: lambda: bare(BARE_ASYNCIO),
        }

        async def connected(name: str, on: contextlib.AsyncExitStack) -> Subject:
            subject, seconds = await on.enter_async_context(openers[name]())
            figures.add(name, "setup", seconds * 1000)
            return subject

        for _ in range(arguments.rounds):
            for name in arguments.subjects:
                # A new pair each time, also for the memory: one that has moved bulk has room to spare in its heap.
                async with contextlib.AsyncExitStack() as once:
                    memory = await (await connected(name, once)).idle_memory()
                    if memory is not None:
                        figures.add(name, "memory", memory / 1024)
        subjects = [await connected(name, stack) for name in arguments.subjects]
        for number in range(arguments.rounds):
            console.print(f"round {number + 1} of {arguments.rounds}", style="dim")
            turn = number % len(subjects)
            for subject in subjects[turn:] + subjects[:turn]:
                await measure(subject, figures, arguments.size * MB)
    return figures


def main() -> int:
    """Parse, measure, show, save."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of every measurement (5)")
    parser.add_argument("--size", type=int, default=64, help="MB of one bulk transfer (64)")
    parser.add_argument("--save", default="latest", metavar="NAME", help="file name of the results (latest)")
    parser.add_argument("subjects", nargs="*", default=SUBJECTS, help=f"of {', '.join(SUBJECTS)}; all by default")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH)
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(bench(arguments, console, Path(folder)))
    figures.show(console)
    console.print(f"saved as {figures.save(arguments.save).relative_to(Path.cwd())}", style="dim")
    return 0 if all(bar.kept for bar in figures.bars()) else 1


if __name__ == "__main__":
    sys.exit(main())
