"""How long a person waits for `mayfly --help`."""

from __future__ import annotations

import sys
import time

from bench.family import Bar, Family, Row, Run, in_turns, median
from support.mayfly import command
from support.programs import run as run_program

NAME = "start"
HELP, NOTHING = "mayfly --help", "python -c pass"
STARTS = 4
"""Of each in a round: one takes so little that more of them cost nothing."""


async def measure(run: Run) -> None:
    """Once to warm the file cache, then by turns with an interpreter that does nothing."""
    programs = {HELP: [*command(), "--help"], NOTHING: [sys.executable, "-c", "pass"]}
    await run_program(*programs[HELP])
    for _, order in in_turns(list(programs), max(run.rounds, 3) * STARTS):
        for subject in order:
            started = time.perf_counter()
            await run_program(*programs[subject])
            run.add(subject, "start", time.perf_counter() - started)


FAMILY = Family(
    NAME,
    "the start of the command",
    measure,
    rows=(Row("start", "start to end", "s", 3),),
    bars=(Bar("start of mayfly --help", median(NAME, "start", HELP), 0.3, " s", at_most=True),),
    for_bars=(HELP, NOTHING),
)
