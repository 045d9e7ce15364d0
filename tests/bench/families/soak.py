"""A link under load both ways for as long as --minutes says: every byte compared, memory watched, with loss or without.

make bench BENCH='--only soak --minutes 120'

The minutes are shared by the pairs of engines, and half of each pair's go over a path that loses packets. Memory is
held against itself: what it was in the second quarter of the time, when heaps and windows have grown, it has to be
still in the second half.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence

from bench.family import MB, Bar, Family, Row, Run, greatest, missing
from bench.subjects import LINK
from bench.subjects.base import resident
from bench.subjects.channels import ChannelSubject, channel, has_wrtc
from support.emulator import FAR, NEAR, Shape, path
from support.namespaces import inside

NAME = "soak"
LINK_WRTC, MIXED = "link wrtc", "aiortc to wrtc"
LOSSY = Shape(delay=0.01, rate=25 * MB, queue=2 * MB, loss=0.005)
PART = 10.0
"""Seconds of one transfer, unless the whole is short."""
FEWEST = 4


async def measure(run: Run) -> None:
    """Each pair of engines in turn, half of its time over an emulated path that loses packets."""
    pairs = {LINK: ("aiortc", "aiortc")}
    if has_wrtc():
        pairs |= {LINK_WRTC: ("wrtc", "wrtc"), MIXED: ("aiortc", "wrtc")}
    pairs = {name: engines for name, engines in pairs.items() if run.wants(name)}
    lossy = not missing("ip", "ethtool")
    if not lossy:
        run.note("no path with loss: ip or ethtool is not installed")
    seconds = run.minutes * 60 / max(len(pairs), 1) / (2 if lossy else 1)
    for name, (relay, client) in pairs.items():
        async with channel(name, _argv(relay, "127.0.0.1"), _argv(client, "127.0.0.1")) as (subject, _):
            await _soak(run, subject, seconds, "clean")
        if lossy:
            async with _over_loss(name, relay, client) as subject:
                await _soak(run, subject, seconds, "lossy")


@contextlib.asynccontextmanager
async def _over_loss(name: str, relay: str, client: str) -> AsyncIterator[ChannelSubject]:
    async with path(LOSSY) as made:
        ends = [
            inside(namespace, "env", "WRTC_ALLOW_LOOPBACK=0", *_argv(engine, address))
            for namespace, engine, address in ((made.far, relay, FAR), (made.near, client, NEAR))
        ]
        async with channel(name, *ends) as (subject, _):
            yield subject


def _argv(engine: str, address: str) -> Sequence[str]:
    bind = "-" if engine == "wrtc" else address
    return (sys.executable, "-m", "bench.peers.link", bind, "uvloop", engine)


async def _soak(run: Run, subject: ChannelSubject, seconds: float, row: str) -> None:
    began = time.monotonic()
    size, moved = MB, 0
    memory: list[tuple[float, int]] = []
    while (elapsed := time.monotonic() - began) < seconds or len(memory) < 2 * FEWEST:
        took = await subject.both_ways(size)
        moved += size
        memory.append((time.monotonic() - began, resident(subject.processes())))
        run.progress(
            f"{subject.name}, {row}: {moved / MB:,.0f} MB each way, {size / MB / took:.1f} MB/s, "
            f"{memory[-1][1] / MB:.1f} MB in memory"
        )
        # A few seconds at a time, so that something is heard and the end is not missed by much.
        size = int(min(max(size * min(4.0, min(PART, seconds / 20) / took), MB), 1000 * MB))
    run.add(subject.name, f"{row} moved", moved / 1e9)
    run.add(subject.name, f"{row} speed", moved / MB / elapsed)
    first, second = plateau(memory)
    run.add(subject.name, f"{row} memory", second / MB)
    run.add(subject.name, "growth", (second - first) / MB)


def plateau(memory: Sequence[tuple[float, int]]) -> tuple[int, int]:
    """The most memory in the second quarter of the time, and in the second half: the first quarter warms up."""
    end = memory[-1][0]
    most = [
        max((held for when, held in memory if begin * end < when <= until * end), default=memory[0][1])
        for begin, until in ((0.25, 0.5), (0.5, 1.0))
    ]
    return most[0], most[1]


FAMILY = Family(
    NAME,
    "load both ways at once, every byte compared",
    measure,
    rows=(
        Row("clean moved", "moved each way on loopback", "GB", 2),
        Row("clean speed", "speed each way on loopback", "MB/s"),
        Row("lossy moved", "moved each way at 20 ms and 0.5 % loss", "GB", 2),
        Row("lossy speed", "speed each way at 20 ms and 0.5 % loss", "MB/s"),
        Row("clean memory", "memory of both ends on loopback, most in the second half", "MB"),
        Row("lossy memory", "memory of both ends at 20 ms and 0.5 % loss, most in the second half", "MB"),
        Row("growth", "growth of that over the second quarter of the time", "MB"),
    ),
    bars=tuple(
        Bar(f"{name}: growth of memory under load", greatest(NAME, "growth", name), 8, " MB", at_most=True, enough=1)
        for name in (LINK, LINK_WRTC, MIXED)
    ),
    default=False,
)
