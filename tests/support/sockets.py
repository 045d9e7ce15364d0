"""Counting what must not leak: file descriptors, sockets, threads and tasks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psutil

from support.programs import ProgramError, poll


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a process holds open."""

    descriptors: int
    sockets: int

    @classmethod
    def of(cls, process: psutil.Process) -> Holdings:
        """Count them now."""
        return cls(process.num_fds(), len(process.net_connections(kind="all")))


async def settles(process: psutil.Process, before: Holdings, timeout: float = 15.0) -> None:
    """Wait until a process holds no more than it did. Raises ProgramError with the counts when it keeps something."""
    try:
        await poll(lambda: Holdings.of(process).descriptors <= before.descriptors, "descriptors fall back", timeout)
        await poll(lambda: Holdings.of(process).sockets <= before.sockets, "sockets fall back", timeout)
    except ProgramError:
        raise ProgramError(f"left open: {Holdings.of(process)}, before it was {before}") from None


@contextlib.asynccontextmanager
async def no_leaks() -> AsyncIterator[None]:
    """What the block starts in this process, tasks and sockets, must be gone shortly after it."""
    process = psutil.Process()
    tasks = set(asyncio.all_tasks())
    before = Holdings.of(process)
    yield
    try:
        await poll(lambda: not (asyncio.all_tasks() - tasks), "tasks end", timeout=5)
    except ProgramError:
        names = sorted(str(task.get_coro()) for task in asyncio.all_tasks() - tasks)
        raise ProgramError(f"tasks still run: {names}") from None
    await settles(process, before, timeout=5)
