"""What a Python process spends its time on, as py-spy sees it from outside. Not in CI: it needs the right to trace."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from support.programs import Program

RATE = 200
"""Samples a second."""
OTHER_THREAD = "Thread._bootstrap"


@dataclass(frozen=True, slots=True)
class Share:
    """One function's part of the time: inside itself, and with what it called."""

    function: str
    itself: float
    total: float


def py_spy() -> Path | None:
    """The program, where the bench's extra is installed."""
    path = Path(sys.executable).with_name("py-spy")
    return path if path.exists() else None


@contextlib.asynccontextmanager
async def recording(pid: int, output: Path, kind: str) -> AsyncIterator[None]:
    """While the block lasts, sample that process; then write `output`, a `flamegraph` or `raw` stacks."""
    argv = (str(py_spy()), "record", "--pid", str(pid), "--output", str(output), "--format", kind)
    async with Program.running(*argv, "--rate", str(RATE), "--function", "--duration", "unlimited") as spy:
        await spy.wait_for_line("Sampling process")
        yield
        spy.send_signal(signal.SIGINT)
        if await spy.wait() or not output.exists():
            raise spy.error("recorded nothing")


def shares(stacks: str) -> list[Share]:
    """Raw stacks, a line each with its count at its end, as shares of the main thread's samples; the greatest first.

    py-spy takes some threads that wait for busy ones; of ours, all but the main one wait.
    """
    itself, total = Counter[str](), Counter[str]()
    everything = 0
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if frames[0].startswith(OTHER_THREAD):
            continue
        samples = int(count)
        everything += samples
        itself[frames[-1]] += samples
        for frame in set(frames):
            total[frame] += samples
    return [Share(frame, samples / everything, total[frame] / everything) for frame, samples in itself.most_common()]
