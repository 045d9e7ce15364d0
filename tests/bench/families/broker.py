"""The broker: how long a match takes with few relays waiting and with many, how many a second, and in how much memory.

Relays and clients are simulated in this process over real HTTP, and share the machine with the broker. Every relay
holds its long poll, as real ones do.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncGenerator
from typing import Any

import psutil

from bench.family import Bar, Family, Row, Run, missing, quotient
from bench.subjects.base import resident
from support.broker import CROWD, Api, api, broker_process
from support.redis import redis_server

NAME = "broker"
MEMORY, REDIS = "memory", "Redis, 2 processes"
COUNTS = (100, 1_000, 10_000)
MATCHES = 300
AT_ONCE = 64
SEATS = 64
READY = 200


async def measure(run: Run) -> None:
    """Each store in turn, and in each the same brokers with more and more relays."""
    for number in range(1 if run.quick else min(run.rounds, 3)):
        for subject in (MEMORY, REDIS):
            if not run.wants(subject):
                continue
            if subject == REDIS and missing("redis-server"):
                run.note("Redis was left out: redis-server is not installed.")
                continue
            async with _brokers(run, subject, number) as (processes, callers):
                await _measure(run, subject, processes, callers)


@contextlib.asynccontextmanager
async def _brokers(run: Run, subject: str, number: int) -> AsyncGenerator[tuple[list[psutil.Process], list[Api]], None]:
    async with contextlib.AsyncExitStack() as stack:
        arguments: tuple[str, ...] = (*CROWD, "--max-postings", "20000")
        if subject == REDIS:
            folder = run.folder / f"redis{number}"
            folder.mkdir()
            server = await stack.enter_async_context(redis_server(folder))
            arguments += ("--store", server.url)
        processes: list[psutil.Process] = []
        callers: list[Api] = []
        for _ in range(2 if subject == REDIS else 1):
            broker, base = await stack.enter_async_context(broker_process(*arguments))
            processes.append(psutil.Process(broker.program.pid))
            callers.append(await stack.enter_async_context(api(base)))
        yield processes, callers


async def _measure(run: Run, subject: str, processes: list[psutil.Process], callers: list[Api]) -> None:
    empty = resident(processes)
    turns = itertools.cycle(callers)
    async with asyncio.TaskGroup() as group:
        relays: list[asyncio.Task[None]] = []
        for count in COUNTS if not run.quick else COUNTS[:2]:
            while len(relays) < count:  # in portions, as they would come
                portion = [next(turns) for _ in range(min(READY, count - len(relays)))]
                postings = await asyncio.gather(*(caller.post_pool(SEATS) for caller in portion))
                relays += [group.create_task(_wait(*each)) for each in zip(portion, postings, strict=True)]
            run.progress(f"{subject}: {count} relays wait")
            for _ in range(MATCHES):
                caller = next(turns)
                started = time.perf_counter()
                match = (await caller.match()).ok()
                run.add(subject, f"match_{count}", (time.perf_counter() - started) * 1000)
                await caller.close(match["match"], match["token"], "failed")
            if count == COUNTS[-1]:
                run.add(subject, "resident", resident(processes) / 1e6)
                run.add(subject, "each", (resident(processes) - empty) / count / 1024)
            started = time.perf_counter()
            await asyncio.gather(*(_clients(next(turns), MATCHES * 10 // AT_ONCE) for _ in range(AT_ONCE)))
            run.add(subject, f"rate_{count}", MATCHES * 10 // AT_ONCE * AT_ONCE / (time.perf_counter() - started))
        for relay in relays:
            relay.cancel()


async def _wait(caller: Api, posting: Any) -> None:
    """A relay that waits, and lets its clients be."""
    cursor = 0
    while True:
        cursor = (await caller.news(posting, cursor, wait=25)).ok()["cursor"]


async def _clients(caller: Api, count: int) -> None:
    for _ in range(count):
        match = (await caller.match()).ok()
        await caller.close(match["match"], match["token"], "failed")


FAMILY = Family(
    NAME,
    "the broker, with relays that wait",
    measure,
    rows=(
        *(Row(f"match_{count}", f"a match, {count} relays waiting", "ms", 2) for count in COUNTS),
        *(
            Row(f"rate_{count}", f"matches made and ended, {AT_ONCE} at once, {count} waiting", "1/s", 0)
            for count in COUNTS
        ),
        Row("resident", f"memory of all broker processes, {COUNTS[-1]} waiting", "MB", 0),
        Row("each", "memory of one more relay that waits", "KiB"),
    ),
    bars=tuple(
        Bar(
            f"a match among 10000 over one among 100, {subject}",
            quotient(NAME, (subject, f"match_{COUNTS[-1]}"), (subject, f"match_{COUNTS[0]}")),
            2.0,
            "x",
            at_most=True,
        )
        for subject in (MEMORY, REDIS)
    ),
)
