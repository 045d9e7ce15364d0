"""Throughput against round-trip time, on a path of 200 Mbit/s without loss."""

from __future__ import annotations

from bench.family import MB, Bar, Chart, Family, Row, Run, median
from bench.faraway import QUEUE, RATE, measure_point
from bench.subjects import TCP, TUNNEL
from support.emulator import Shape

NAME = "distance"
ROUND_TRIPS = (1, 20, 50, 100, 200)
JUDGED = 100
"""Milliseconds. The promise is about this one, so it gets all rounds, and transfers of a quarter of a minute: the start
of a transfer is in what is measured."""


async def measure(run: Run) -> None:
    """A path after the other."""
    for milliseconds in (JUDGED,) if run.quick or run.bars else ROUND_TRIPS:
        shape = Shape(delay=milliseconds / 2000, rate=RATE, queue=QUEUE)
        judged = milliseconds == JUDGED
        rounds = run.rounds if judged else min(run.rounds, 2)
        await measure_point(run, f"rtt {milliseconds}", shape, rounds=rounds, seconds=16 if judged else 3)


FAMILY = Family(
    NAME,
    "download over 200 Mbit/s, no loss, by round-trip time",
    measure,
    rows=tuple(Row(f"rtt {each}", f"{each} ms", "MB/s", 2) for each in ROUND_TRIPS),
    bars=(
        Bar(
            "100 ms, no loss, 200 Mbit/s: the tunnel's share of the link",
            median(NAME, f"rtt {JUDGED}", TUNNEL, scale=MB / RATE),
            0.85,
        ),
    ),
    charts=(
        Chart(
            "throughput-rtt",
            "Download over 200 Mbit/s without loss",
            "round-trip time, ms",
            "MB/s",
            tuple((f"rtt {each}", float(each)) for each in ROUND_TRIPS),
        ),
    ),
    for_bars=(TUNNEL, TCP),
)
