"""How long a start through a broker takes: from starting the client to the first byte through the tunnel."""

from __future__ import annotations

import time

from bench.family import Bar, Family, Row, Run, median
from support import socks
from support.broker import broker_process
from support.mayfly import LOOPBACK, OPEN_LOOPBACK, MayflyProcess, split_address
from support.tcp import echo, serving

NAME = "meeting"
FRIEND, STRANGER = "a friend", "a stranger"
STARTS, QUICK = 20, 3
PROMISE = 1.5


async def measure(run: Run) -> None:
    """Friends and strangers by turns, each client a new process; broker and relays stay."""
    public = ("relay", *LOOPBACK, *OPEN_LOOPBACK, "--public", "--max-clients", "64")
    private = ("relay", *LOOPBACK, *OPEN_LOOPBACK, "--max-clients", "64")
    limits = ("--prefix-claims", "1000000")
    async with (
        broker_process(*limits) as (_, url),
        serving(echo) as server,
        MayflyProcess.running(*public, "--broker", url) as pool,
        MayflyProcess.running(*private, "--broker", url) as host,
    ):
        await pool.event("posted")
        for number in range(run.scaled(STARTS, QUICK)):
            run.progress(f"start {number + 1}")
            await _start(run, STRANGER, url, (), server)
            await _start(run, FRIEND, url, (str((await host.event("code"))["code"]),), server)


async def _start(run: Run, subject: str, url: str, code: tuple[str, ...], server: tuple[str, int]) -> None:
    begun = time.perf_counter()
    argv = ("client", *LOOPBACK, "--socks", "127.0.0.1:0", "--relays", "1", "--broker", url, *code)
    async with MayflyProcess.running(*argv) as client:
        proxy = split_address((await client.event("listening"))["address"])
        async with await socks.connect(proxy, *server) as connection:
            connection.writer.write(b"x")
            await connection.reader.readexactly(1)
            run.add(subject, "start", time.perf_counter() - begun)
        client.interrupt()
        await client.wait()


FAMILY = Family(
    NAME,
    "meeting through a broker",
    measure,
    rows=(Row("start", "client's start to first byte", "s", 3),),
    bars=(
        Bar("start with a friend's code", median(NAME, "start", FRIEND), PROMISE, " s", at_most=True),
        Bar("start with a relay of the pool", median(NAME, "start", STRANGER), PROMISE, " s", at_most=True),
    ),
)
