"""Tasks are kept, ended together, and raced."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from mayfly.runtime.tasks import TaskSet, first_of, rest, unless


async def test_aclose_cancels_and_waits() -> None:
    tasks = TaskSet()
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    tasks.spawn(work())
    await asyncio.sleep(0)
    assert len(tasks) == 1
    await tasks.aclose()
    assert ended == ["cleaned up"]
    assert len(tasks) == 0


async def test_join_waits_for_tasks_that_tasks_begin() -> None:
    tasks = TaskSet()
    ended: list[str] = []

    async def second() -> None:
        await asyncio.sleep(0)
        ended.append("second")

    async def first() -> None:
        tasks.spawn(second())
        ended.append("first")

    tasks.spawn(first())
    await tasks.join()
    assert ended == ["first", "second"]


async def test_a_failure_is_told_to_the_loop() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    tasks = TaskSet()

    async def work() -> None:
        raise RuntimeError("broken")

    tasks.spawn(work())
    await tasks.join()
    await asyncio.sleep(0)
    assert [str(context["exception"]) for context in told] == ["broken"]


async def test_unless_gives_the_result_or_cancels() -> None:
    event = asyncio.Event()

    async def quick() -> int:
        return 5

    async def endless(cancelled: list[bool]) -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return 1

    assert await unless(event, quick()) == 5
    cancelled: list[bool] = []
    waiting = asyncio.get_running_loop().create_task(unless(event, endless(cancelled)))
    await asyncio.sleep(0)
    event.set()
    assert await waiting is None
    assert cancelled == [True]


async def test_unless_raises_what_the_work_raises() -> None:
    async def broken() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await unless(asyncio.Event(), broken())


async def test_cancelling_a_race_cancels_its_works() -> None:
    cancelled: list[int] = []

    async def endless(number: int) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise

    race = asyncio.get_running_loop().create_task(first_of(endless(1), endless(2)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    race.cancel()
    with pytest.raises(asyncio.CancelledError):
        await race
    assert sorted(cancelled) == [1, 2]


async def test_first_of_raises_the_first_failure_and_ends_the_rest() -> None:
    ended: list[bool] = []

    async def broken() -> None:
        raise ValueError("first")

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(ValueError, match="first"):
        await first_of(endless(), broken())
    assert ended == [True]


async def test_a_loop_ends_though_a_library_took_its_cancellation_for_a_time_out() -> None:
    asked = asyncio.Event()

    async def library() -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise TimeoutError from None

    async def loop() -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await library()
            await rest(3600)

    async with asyncio.timeout(10):
        await first_of(loop(), asked.wait())


async def test_a_rest_is_a_sleep_otherwise() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await rest(0.02)
    assert loop.time() - began >= 0.019
