"""A link under load both ways for as long as --minutes says: every byte compared, memory watched, with loss or without.

make bench BENCH='--only soak --minutes 120'
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence

from bench.family import MB, Bar, Family, Row, Run, median, missing
from bench.subjects import LINK
from bench.subjects.base import resident
from bench.subjects.channels import ChannelSubject, channel, has_wrtc
from support.emulator import FAR, NEAR, Shape, path

NAME = "soak"
LINK_WRTC, MIXED = "link wrtc", "aiortc to wrtc"
LOSSY = Shape(delay=0.01, rate=25 * MB, queue=2 * MB, loss=0.005)
WARM_UP = 2
"""Transfers before memory is looked at: heaps and windows have grown then."""


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
            made.at(namespace, "env", "WRTC_ALLOW_LOOPBACK=0", *_argv(engine, address))
            for namespace, engine, address in ((made.far, relay, FAR), (made.near, client, NEAR))
        ]
        async with channel(name, *ends) as (subject, _):
            yield subject


def _argv(engine: str, address: str) -> Sequence[str]:
    bind = "-" if engine == "wrtc" else address
    return (sys.executable, "-m", "bench.peers.link", bind, "uvloop", engine)


async def _soak(run: Run, subject: ChannelSubject, seconds: float, row: str) -> None:
    began = time.monotonic()
    size, moved, transfers, settled = MB, 0, 0, 0
    while time.monotonic() - began < seconds or transfers <= WARM_UP:
        took = await subject.both_ways(size)
        moved += size
        transfers += 1
        if transfers == WARM_UP:
            settled = resident(subject.processes())
        run.progress(f"{subject.name}, {row}: {moved / MB:,.0f} MB each way, {size / MB / took:.1f} MB/s")
        # About ten seconds at a time, so that something is heard and the end is not missed by much.
        size = int(min(max(size * min(4.0, 10 / took), MB), 1000 * MB))
    run.add(subject.name, f"{row} moved", moved / 1e9)
    run.add(subject.name, f"{row} speed", moved / MB / (time.monotonic() - began))
    run.add(subject.name, "growth", (resident(subject.processes()) - settled) / MB)


FAMILY = Family(
    NAME,
    "load both ways at once, every byte compared",
    measure,
    rows=(
        Row("clean moved", "moved each way on loopback", "GB", 2),
        Row("clean speed", "speed each way on loopback", "MB/s"),
        Row("lossy moved", "moved each way at 20 ms and 0.5 % loss", "GB", 2),
        Row("lossy speed", "speed each way at 20 ms and 0.5 % loss", "MB/s"),
        Row("growth", "growth of memory, both ends", "MB"),
    ),
    bars=tuple(
        Bar(f"{name}: growth of memory under load", median(NAME, "growth", name), 32, " MB", at_most=True)
        for name in (LINK, LINK_WRTC, MIXED)
    ),
    default=False,
)
