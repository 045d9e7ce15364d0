"""Tasks that must outlive the call that began them, kept from the garbage collector and ended together.

asyncio keeps only weak references to tasks, so a bare `create_task` may vanish in mid-work; a TaskGroup waits for its
tasks where it stands. Programs that begin work from callbacks use a TaskSet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class TaskSet:
    """Running tasks. A task that fails hands its exception to the loop's exception handler."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin a task and keep it until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def join(self) -> None:
        """Wait until no task is left."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Cancel what runs and wait for it."""
        running = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            task.get_loop().call_exception_handler({"message": "a task failed", "exception": error, "task": task})


async def rest(seconds: float) -> None:
    """As `asyncio.sleep`, in a loop around a library that may take our cancellation for a time-out of its own.

    Raises CancelledError at once where the task was cancelled before.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    await asyncio.sleep(seconds)


async def unless(event: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`, or None when `event` is set first; then `work` is cancelled and waited for."""
    done, _ = await _race(work, event.wait())
    return done.result() if done is not None else None


async def first_of(*works: Coroutine[Any, Any, Any]) -> None:
    """Run all until one of them ends, then cancel the others and wait for them. Raises what the first ones raised."""
    for task in await _race(*works):
        if task is not None:
            task.result()


async def _race(*works: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any] | None]:
    """The tasks that had ended when the first of them did, at their places; all others are cancelled."""
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return [task if task.done() else None for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
