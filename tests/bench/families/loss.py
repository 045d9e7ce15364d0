"""Throughput against loss, on a path of 200 Mbit/s and 100 ms there and back."""

from __future__ import annotations

from bench.family import Chart, Family, Row, Run
from bench.faraway import QUEUE, RATE, SUBJECTS, measure_point
from support.emulator import Shape

NAME = "loss"
PER_CENT = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0)
SECONDS = 3


async def measure(run: Run) -> None:
    """A path after the other; each direction loses that share of its packets."""
    for per_cent in (1.0,) if run.quick else PER_CENT:
        shape = Shape(delay=0.05, rate=RATE, queue=QUEUE, loss=per_cent / 100)
        wanted = [name for name in SUBJECTS if run.wants(name)]
        await measure_point(run, f"loss {per_cent:g}", shape, wanted, rounds=min(run.rounds, 2), seconds=SECONDS)


FAMILY = Family(
    NAME,
    "download over 200 Mbit/s and 100 ms, by loss each way",
    measure,
    rows=tuple(Row(f"loss {each:g}", f"{each:g} %", "MB/s", 2) for each in PER_CENT),
    charts=(
        Chart(
            "throughput-loss",
            f"Download over 200 Mbit/s and 100 ms, transfers of {SECONDS} s",
            "packets lost each way, %",
            "MB/s",
            tuple((f"loss {each:g}", each) for each in PER_CENT),
            log_y=True,
        ),
    ),
)
