"""`make bench`: every promise about speed, measured beside its peers in one run.

`make bench BENCH='--bars'` measures only what the promises of the link and the tunnel are held against, in a quarter of
an hour; `BENCH='--quick'` looks at everything, `BENCH='--only speed --rounds 7'` at one family, `BENCH='--list'` names
them. The result is kept as JSON in tests/bench/results/. Exits with 1 when a promise was missed
by medians that can be relied on.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.charts import draw
from bench.families import all_families
from bench.family import ENOUGH, Family, Run, missing
from bench.figures import Figures
from bench.isolate import isolate, isolated
from bench.keep import load, machine, save
from bench.show import show_family, show_verdicts, verdicts
from support.node import node_peer
from support.programs import ROOT, ProgramError

WIDTH = 140


def arguments_of(line: list[str]) -> argparse.Namespace:
    """What stands behind BENCH=, understood. Exits with 2 where it cannot be."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="FAMILY", help="this family alone; repeatable")
    parser.add_argument("--bars", action="store_true", help="only what the link's and the tunnel's promises need")
    parser.add_argument("--subjects", default="", metavar="NAMES", help="only these subjects, with commas between")
    parser.add_argument("--quick", action="store_true", help="small sizes and one round: a look, no judgement")
    parser.add_argument("--rounds", type=int, help=f"rounds of every measurement ({ENOUGH})")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of the soak (10)")
    parser.add_argument("--save", metavar="NAME", help="file name of the results (the time)")
    parser.add_argument("--charts", action="store_true", help="draw the charts into core/charts")
    parser.add_argument(
        "--draw", action="append", default=[], metavar="NAME", help="draw them from kept results, and end"
    )
    parser.add_argument("--list", action="store_true", help="name the families and end")
    return parser.parse_args(line)


async def _measure(families: list[Family], arguments: argparse.Namespace, folder: Path) -> Figures:
    figures = Figures()
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    rounds = arguments.rounds or (1 if arguments.quick else ENOUGH)
    named = set(filter(None, arguments.subjects.split(",")))
    for family in families:
        started = time.monotonic()
        print(f"{family.name}: {family.title}", flush=True)
        place = folder / family.name
        place.mkdir()
        run = Run(
            family.name,
            figures,
            place,
            rounds=rounds,
            quick=arguments.quick,
            bars=arguments.bars,
            minutes=arguments.minutes,
            wanted=named or (family.for_bars if arguments.bars else ()),
        )
        try:
            await _unless(stopping, family.measure(run))
        except Exception as error:  # the other families are worth having
            figures.note(family.name, f"ended early: {type(error).__name__}: {error}")
            run.progress(f"ended early: {error}")
        if stopping.is_set():
            figures.note(family.name, "stopped before its end")
            break
        print(f"  {family.name}: {time.monotonic() - started:.0f} s", flush=True)
    return figures


async def _unless(stopping: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Do the work, or as much of it as is done when the bench is told to stop: what was measured is kept."""
    loop = asyncio.get_running_loop()
    measuring, stopped = loop.create_task(work), loop.create_task(stopping.wait())
    try:
        await asyncio.wait((measuring, stopped), return_when=asyncio.FIRST_COMPLETED)
    finally:
        finished = measuring.done()
        stopped.cancel()
        measuring.cancel()
        await asyncio.wait((measuring, stopped))
    if finished:
        measuring.result()


def choose(families: list[Family], named: set[str], *, bars: bool) -> list[Family]:
    """Those of the families that this run measures."""
    if named:
        return [family for family in families if family.name in named]
    return [family for family in families if (family.for_bars if bars else family.default)]


def prepare() -> None:
    """Install what comes from npm, while there is a network. Where that fails, its subject says so and is left out."""
    if not isolated() and not missing("node", "npm"):
        with contextlib.suppress(ProgramError):
            asyncio.run(node_peer("127.0.0.1"))


def main() -> int:
    """Parse, measure, show, save."""
    arguments = arguments_of(sys.argv[1:])
    families = all_families()
    if arguments.list:
        for family in families:
            print(f"{family.name:12} {family.title}{'' if family.default else ' (only when named)'}")
        return 0
    if arguments.draw:
        try:
            return _draw(families, load(arguments.draw))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
    unknown = set(arguments.only) - {family.name for family in families}
    if unknown:
        print(f"there is no family {', '.join(sorted(unknown))}; --list names them", file=sys.stderr)
        return 2
    prepare()
    isolate()
    chosen = choose(families, set(arguments.only), bars=arguments.bars)
    how = {"arguments": sys.argv[1:], "own_namespace": isolated(), "load_before": os.getloadavg()}
    memory = Path("/dev/shm")  # transfers are written and hashed, and no disk is to be measured
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory if memory.is_dir() else None) as folder:
        figures = asyncio.run(_measure(chosen, arguments, Path(folder)))
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH)
    console.print()
    for family in chosen:
        show_family(console, family, figures)
    found = verdicts(chosen, figures)
    show_verdicts(console, found)
    described = ", ".join(f"{key} {value}" for key, value in machine().items())
    console.print(f"{described}; {'own' if isolated() else 'shared'} network namespace", style="dim", soft_wrap=True)
    path = save(arguments.save, chosen, figures, found, how)
    console.print(f"saved as {path.relative_to(ROOT)}", style="dim")
    if arguments.charts:
        _draw(chosen, figures)
    return 1 if any(verdict.kept is False and verdict.judged for verdict in found) else 0


def _draw(families: list[Family], figures: Figures) -> int:
    for path in draw(families, figures):
        print(f"drawn {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
