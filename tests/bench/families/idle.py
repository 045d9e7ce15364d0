"""What it costs to be there and do nothing: memory of a further client and of a further stream, processor time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from bench.crowd import relay_with_crowd
from bench.family import MB, Bar, Family, Row, Run, median
from bench.subjects import TUNNEL
from support import socks
from support.mayfly import OPEN_LOOPBACK, Tunnel, tunnel
from support.tcp import echo, serving

NAME = "idle"
CROWD = "many clients"
WARM_UP = 5
STREAMS = 500
SETTLE = 1.0


async def measure(run: Run) -> None:
    """Fresh processes each round: a heap that has moved bulk has room to spare."""
    for number in range(run.scaled(min(run.rounds, 3), 1)):
        run.progress(f"round {number + 1}")
        if run.wants(CROWD):
            await _many_clients(run)
        if run.wants(TUNNEL):
            async with tunnel(OPEN_LOOPBACK) as pair:
                await _one_client(run, pair)


async def _many_clients(run: Run) -> None:
    """The first clients warm the relay up; what the others add is theirs."""
    most = run.scaled(50, 15)
    async with relay_with_crowd(most) as pair:
        await pair.join(WARM_UP)
        await asyncio.sleep(SETTLE)
        before = pair.relay.resident()
        await pair.join(most - WARM_UP)
        await asyncio.sleep(SETTLE)
        run.add(CROWD, "client", (pair.relay.resident() - before) / (most - WARM_UP) / MB)
        run.add(CROWD, "processor", await _processor(pair.cpu_seconds, run.scaled(30, 10)))


async def _one_client(run: Run, pair: Tunnel) -> None:
    def resident() -> int:
        return pair.relay.resident() + pair.client.resident()

    await asyncio.sleep(SETTLE)

    def both() -> float:
        return pair.relay.cpu_seconds() + pair.client.cpu_seconds()

    run.add(TUNNEL, "processor", await _processor(both, run.scaled(30, 10)))
    async with serving(echo) as server, contextlib.AsyncExitStack() as stack:

        async def used_streams(count: int) -> int:
            for _ in range(count):
                connection = await stack.enter_async_context(await socks.connect((pair.host, pair.port), *server))
                connection.writer.write(b"x")
                await connection.reader.readexactly(1)
            return resident()

        before = await used_streams(WARM_UP)
        run.add(TUNNEL, "stream", (await used_streams(STREAMS) - before) / STREAMS / 1024)


async def _processor(used: Callable[[], float], seconds: int) -> float:
    """Per cent of one core that processes take while they do nothing."""
    before = used()
    await asyncio.sleep(seconds)
    return (used() - before) / seconds * 100


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
)
