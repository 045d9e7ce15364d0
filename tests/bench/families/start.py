"""How long a person waits for `mayfly --help`."""

from __future__ import annotations

import time

from bench.family import Bar, Family, Row, Run, median
from support.mayfly import command
from support.programs import run as run_program

NAME = "start"


async def measure(run: Run) -> None:
    """Once to warm the file cache, then by turns with an interpreter that does nothing."""
    await run_program(*command(), "--help")
    for _ in range(max(run.rounds, 3)):
        for subject, argv in (("mayfly --help", [*command(), "--help"]), ("python -c pass", ["python3", "-c", "pass"])):
            started = time.perf_counter()
            await run_program(*argv)
            run.add(subject, "start", time.perf_counter() - started)


FAMILY = Family(
    NAME,
    "the start of the command",
    measure,
    rows=(Row("start", "start to end", "s", 3),),
    bars=(Bar("start of mayfly --help", median(NAME, "start", "mayfly --help"), 0.3, " s", at_most=True),),
)
