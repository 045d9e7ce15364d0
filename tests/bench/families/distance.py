"""Throughput against round-trip time, on a path of 200 Mbit/s without loss."""

from __future__ import annotations

from bench.family import MB, Bar, Chart, Family, Row, Run, median
from bench.faraway import QUEUE, RATE, SUBJECTS, measure_point
from bench.subjects import TCP, TUNNEL
from support.emulator import Shape

NAME = "distance"
ROUND_TRIPS = (1, 20, 50, 100, 200)
JUDGED = 100
"""Milliseconds. The promise is about this one, so it gets all rounds."""
LONG, SHORT = 16, 3
"""Seconds of a transfer, its start included: that is little of a quarter of a minute, and much of three seconds."""


async def measure(run: Run) -> None:
    """What is promised, then a path after the other with everybody, as the chart shows them."""
    judged = [name for name in FAMILY.for_bars if run.wants(name)]
    await measure_point(run, "long", _shape(JUDGED), judged, rounds=run.rounds, seconds=LONG)
    for milliseconds in () if run.quick or run.bars else ROUND_TRIPS:
        wanted = [name for name in SUBJECTS if run.wants(name)]
        row = f"rtt {milliseconds}"
        await measure_point(run, row, _shape(milliseconds), wanted, rounds=min(run.rounds, 2), seconds=SHORT)


def _shape(milliseconds: int) -> Shape:
    return Shape(delay=milliseconds / 2000, rate=RATE, queue=QUEUE)


FAMILY = Family(
    NAME,
    "download over 200 Mbit/s, no loss, by round-trip time",
    measure,
    rows=(
        Row("long", f"{JUDGED} ms, transfers of {LONG} s", "MB/s", 2),
        *(Row(f"rtt {each}", f"{each} ms, transfers of {SHORT} s", "MB/s", 2) for each in ROUND_TRIPS),
    ),
    bars=(
        Bar(
            "100 ms, no loss, 200 Mbit/s: the tunnel's share of the link",
            median(NAME, "long", TUNNEL, scale=MB / RATE),
            0.85,
        ),
    ),
    charts=(
        Chart(
            "throughput-rtt",
            f"Download over 200 Mbit/s without loss, transfers of {SHORT} s",
            "round-trip time, ms",
            "MB/s",
            tuple((f"rtt {each}", float(each)) for each in ROUND_TRIPS),
        ),
    ),
    for_bars=(TUNNEL, TCP),
)
