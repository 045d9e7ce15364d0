"""What both ends of a tunnel do while bytes flow: how often they wake up, and which functions take the time.

make bench BENCH='--only profile'

The stock engine is the state before the hot paths were replaced, ours the one after. Wake-ups are counted without
py-spy, which stops a process to look at it. What stands beside `Runner.run` itself is the event loop, its waiting
included. Flame graphs go to tests/bench/results/profile, which git ignores.
"""

from __future__ import annotations

import contextlib

import psutil

from bench.family import MB, Family, Row, Run, in_turns
from bench.keep import RESULTS
from bench.profiler import Share, py_spy, recording, shares
from bench.subjects import TUNNEL, TUNNEL_STOCK
from bench.subjects.base import Subject, cpu_seconds
from bench.subjects.proxies import tunnel
from support.http import origin

NAME = "profile"
FOLDER = RESULTS / NAME
SIZES = {TUNNEL: 512, TUNNEL_STOCK: 64}
"""MB, so that each takes some seconds."""
TOP = 12


async def measure(run: Run) -> None:
    """Each subject downloads and uploads as it is; then once under py-spy for the list, and once for the picture."""
    async with origin() as web, contextlib.AsyncExitStack() as stack:
        subjects = [
            (await stack.enter_async_context(tunnel(name, web, run.folder)))[0] for name in filter(run.wants, SIZES)
        ]
        for number, order in in_turns(subjects, run.rounds):
            run.progress(f"round {number} of {run.rounds}")
            for subject in order:
                await _count(run, subject)
        if py_spy() is None:
            run.note("py-spy is not installed: `make bench` installs it")
            return
        FOLDER.mkdir(parents=True, exist_ok=True)
        for subject in subjects:
            await _record(run, subject)


async def _count(run: Run, subject: Subject) -> None:
    size = run.scaled(SIZES[subject.name], SIZES[subject.name] // 8)
    for row, move in (("down", subject.download), ("up", subject.upload)):
        ends = subject.processes()
        woken, used = wake_ups(ends), cpu_seconds(ends)
        run.add(subject.name, row, size / await move(size * MB))
        run.add(subject.name, f"wake_{row}", (wake_ups(ends) - woken) / size)
        run.add(subject.name, f"cpu_{row}", (cpu_seconds(ends) - used) * 1000 / size)


def wake_ups(processes: list[psutil.Process]) -> int:
    """How often they have gone to sleep so far, and so been woken."""
    return sum(int(process.num_ctx_switches().voluntary) for process in processes)


async def _record(run: Run, subject: Subject) -> None:
    size = run.scaled(SIZES[subject.name], SIZES[subject.name] // 8) * MB
    for kind in ("raw", "flamegraph"):
        run.progress(f"{subject.name} under py-spy: {kind}")
        outputs = {
            end: FOLDER / f"{subject.name.replace(' ', '-')}-{end}.{'txt' if kind == 'raw' else 'svg'}"
            for end in ("relay", "client")
        }
        async with contextlib.AsyncExitStack() as stack:
            for output, process in zip(outputs.values(), subject.processes(), strict=True):
                await stack.enter_async_context(recording(process.pid, output, kind))
            await subject.download(size)
        if kind == "raw":
            for end, output in outputs.items():
                run.note(f"{subject.name}, {end}, downloading; itself / with what it calls:")
                for share in shares(output.read_text())[:TOP]:
                    run.note(line(subject.name, end, share))
    run.note(f"flame graphs: {FOLDER.name}/ in the results' folder")


def line(subject: str, end: str, share: Share) -> str:
    """One line of the list."""
    return f"  {share.itself:5.1%} {share.total:6.1%}  {share.function}  ({subject}, {end})"


FAMILY = Family(
    NAME,
    "what both ends do while bytes flow",
    measure,
    rows=(
        Row("down", "download", "MB/s"),
        Row("up", "upload", "MB/s"),
        Row("wake_down", "wake-ups of both ends, download", "per MB"),
        Row("wake_up", "wake-ups of both ends, upload", "per MB"),
        Row("cpu_down", "processor, download, both ends", "ms/MB", 2),
        Row("cpu_up", "processor, upload, both ends", "ms/MB", 2),
    ),
    default=False,
)
