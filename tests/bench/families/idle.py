"""What it costs to be there and do nothing: memory of a further client and of a further stream, processor time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from functools import partial

from bench.crowd import RelayWithCrowd, ran, relay_with_crowd
from bench.family import MB, Bar, Family, Row, Run, median
from bench.subjects import TUNNEL
from support import socks
from support.mayfly import OPEN_LOOPBACK, Tunnel, tunnel
from support.tcp import echo, serving

NAME = "idle"
CROWD = "many clients"
CLIENTS = 50
WARM_UP = 5
STREAMS = 500
SETTLE = 1.0
WATCHED = 20
"""Seconds. What an idle link does, it does again within five: consent, acknowledgements, the watch on silence."""


async def measure(run: Run) -> None:
    """Fresh processes each round: a heap that has moved bulk has room to spare. Who is idle disturbs nobody."""
    for number in range(run.rounds):
        run.progress(f"round {number + 1} of {run.rounds}")
        async with contextlib.AsyncExitStack() as stack:
            watched: dict[str, Callable[[], float]] = {}
            if run.wants(CROWD):
                crowd = await stack.enter_async_context(relay_with_crowd(run.scaled(CLIENTS, 15)))
                await _many_clients(run, crowd)
                watched[CROWD] = crowd.cpu_seconds
            pair = await stack.enter_async_context(tunnel(OPEN_LOOPBACK)) if run.wants(TUNNEL) else None
            if pair is not None:
                watched[TUNNEL] = partial(_both, pair)
            await asyncio.sleep(SETTLE)
            await _doing_nothing(run, watched, run.scaled(WATCHED, 10))
            if pair is not None:
                await _streams(run, pair)


async def _many_clients(run: Run, pair: RelayWithCrowd) -> None:
    """The first clients warm the relay up; what the others add is theirs."""
    most = run.scaled(CLIENTS, 15)
    await pair.join(WARM_UP)
    await asyncio.sleep(SETTLE)
    before = pair.relay.resident()
    await pair.join(most - WARM_UP)
    await asyncio.sleep(SETTLE)
    run.add(CROWD, "client", (pair.relay.resident() - before) / (most - WARM_UP) / MB)


async def _doing_nothing(run: Run, watched: Mapping[str, Callable[[], float]], seconds: int) -> None:
    """Per cent of one core that each of them takes meanwhile."""
    before = {subject: used() for subject, used in watched.items()}
    await asyncio.sleep(seconds)
    for subject, used in watched.items():
        run.add(subject, "processor", (used() - before[subject]) / seconds * 100)


async def _streams(run: Run, pair: Tunnel) -> None:
    """Memory of both ends for streams that carried a byte each and stay open."""
    async with serving(echo) as server, contextlib.AsyncExitStack() as stack:

        async def used_streams(count: int) -> int:
            for _ in range(count):
                connection = await stack.enter_async_context(await socks.connect((pair.host, pair.port), *server))
                connection.writer.write(b"x")
                await connection.reader.readexactly(1)
            return pair.relay.resident() + pair.client.resident()

        before = await used_streams(WARM_UP)
        run.add(TUNNEL, "stream", (await used_streams(STREAMS) - before) / STREAMS / 1024)


def _both(pair: Tunnel) -> float:
    return ran(pair.relay.program.pid) + ran(pair.client.program.pid)


FAMILY = Family(
    NAME,
    "doing nothing",
    measure,
    rows=(
        Row("client", "memory of the relay for a further client", "MB", 3),
        Row("stream", "memory of an idle stream, both ends", "KiB"),
        Row("processor", "processor, both ends", "% of a core", 3),
    ),
    bars=(
        Bar("the relay's memory for each further client", median(NAME, "client", CROWD), 0.5, " MB", at_most=True),
        Bar("memory of an idle stream, both ends", median(NAME, "stream", TUNNEL), 32, " KiB", at_most=True),
        Bar("processor while idle with one client", median(NAME, "processor", TUNNEL), 0.5, " %", at_most=True),
    ),
    for_bars=(CROWD, TUNNEL),
)
