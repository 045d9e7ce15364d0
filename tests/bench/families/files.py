"""Files beside a SOCKS download over the same link, magic-wormhole and scp; their memory; who has to wait for them."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.family import MB, Bar, Family, Row, Run, in_turns, median, missing, ratio
from bench.subjects import TUNNEL
from bench.subjects.base import cpu_seconds
from bench.subjects.senders import Carrier, Friends, Scp, friends, has_wormhole, wormhole
from support.bodies import write_body
from support.http import origin
from support.mayfly import MayflyProcess
from support.moving import MIB, PeakMemory, empty, many_small, move, same_soon, sparse
from support.programs import ProgramError
from support.ssh import ssh_server

NAME = "files"
SOCKS, FILE, SMALL = "SOCKS download", "mayfly one file", "mayfly 20000 files"
WORMHOLE, SCP = "magic-wormhole", "scp"
IDLE, BUSY = "idle", "during a file"
SAMPLES = 20
PAUSE = 0.1
"""Seconds between two chat lines: people are not faster, and the room holds back who is."""


async def measure(run: Run) -> None:
    """One tunnel for everything of ours; the others beside it, by turns."""
    size = run.scaled(256, 32) * MB
    film, crowd = run.folder / "film", run.folder / "crowd"
    write_body(film, size)
    crowd_size = many_small(crowd, run.scaled(20_000, 2_000))
    others = run.folder / "others"
    others.mkdir()
    async with contextlib.AsyncExitStack() as stack:
        web = await stack.enter_async_context(origin())
        pair = await stack.enter_async_context(friends(FILE, TUNNEL, web, run.folder))
        carriers = await _rivals(run, stack)
        for number, order in in_turns([SOCKS, FILE, SMALL, *carriers], run.rounds):
            run.progress(f"round {number} of {run.rounds}")
            for name in filter(run.wants, order):
                if name == SOCKS:
                    run.add(SOCKS, "speed", size / MB / await pair.proxy.download(size))
                elif name == SMALL:
                    await ours(run, SMALL, pair, crowd, crowd_size)
                elif name == FILE:
                    await ours(run, FILE, pair, film, size)
                else:
                    seconds = await carriers[name].carry(film, others)
                    await _check(film, others / film.name)
                    run.add(name, "speed", size / MB / seconds)
                    empty(others)
        run.progress("first bytes and chat lines, idle and during a file")
        await _quickness(run, pair, IDLE)
        film.unlink()
        sparse(film, run.scaled(2_500, 250) * MB)  # so long that no command has to be started meanwhile
        async with going_on(pair, film):
            await _quickness(run, pair, BUSY)


async def _rivals(run: Run, stack: contextlib.AsyncExitStack) -> dict[str, Carrier]:
    """Those that are installed and wanted."""
    found: dict[str, Carrier] = {}
    if run.wants(WORMHOLE):
        if has_wormhole():
            place = run.folder / "mailbox"
            place.mkdir()
            found[WORMHOLE] = await stack.enter_async_context(wormhole(WORMHOLE, place))
        else:
            run.note("magic-wormhole is left out: `make bench` installs it and its mailbox server from PyPI")
    if run.wants(SCP):
        if absent := missing("scp", "sshd"):
            run.note(f"scp is left out: {', '.join(absent)} is not installed")
        else:
            keys = run.folder / "ssh"
            keys.mkdir()
            found[SCP] = Scp(SCP, await stack.enter_async_context(ssh_server(keys)))
    return found


async def ours(run: Run, name: str, pair: Friends, what: Path, size: int) -> None:
    """One transfer over the tunnel: its speed, the processor, and by how much each end's memory grew."""
    peaks = [PeakMemory(process) for process in (pair.relay, pair.client)]
    before = cpu_seconds(pair.proxy.processes())
    seconds = await pair.carry(what, pair.receiver.files)
    run.add(name, "cpu", (cpu_seconds(pair.proxy.processes()) - before) * 1000 / (size / MB))
    run.add(name, "speed", size / MB / seconds)
    for row, peak in zip(("sender", "receiver"), peaks, strict=True):
        run.add(name, row, peak.growth() / MIB)
    await _check(what, pair.receiver.files / what.name)
    empty(pair.receiver.files)


async def _check(what: Path, arrived: Path) -> None:
    if not await same_soon(what, arrived):
        raise ProgramError(f"{arrived.name} is not what was sent")


@contextlib.asynccontextmanager
async def going_on(pair: Friends, film: Path) -> AsyncIterator[None]:
    """While the block lasts, that file goes from the relay to the client again and again."""

    async def again() -> None:
        while True:
            await move(film, pair.sender, pair.receiver)
            empty(pair.receiver.files)

    async with asyncio.TaskGroup() as group:
        moving = group.create_task(again())
        folder = pair.receiver.files
        while not any(folder.iterdir()):
            await asyncio.sleep(PAUSE)
        yield
        moving.cancel()
    shutil.rmtree(folder, ignore_errors=True)


async def _quickness(run: Run, pair: Friends, when: str) -> None:
    """First bytes of new SOCKS streams, and chat lines from the relay's command to the client's, by turns."""
    async with (
        MayflyProcess.running("chat", env=pair.receiver.env) as listener,
        MayflyProcess.running("chat", env=pair.sender.env) as speaker,
    ):
        await speaker.program.write_line("hello")
        await listener.event("message")
        for number in range(run.scaled(SAMPLES * 3, SAMPLES)):
            run.add(when, "first_byte", await pair.proxy.first_byte() * 1000)
            started = time.perf_counter()
            await speaker.program.write_line(f"line {number}")
            await listener.event("message")
            run.add(when, "chat", (time.perf_counter() - started) * 1000)
            await asyncio.sleep(PAUSE)


def bars(family: str, growth: tuple[str, ...]) -> tuple[Bar, ...]:
    """What files promise of speed and memory."""
    return (
        Bar("one file / one SOCKS download, same link", ratio(family, "speed", FILE, SOCKS), 0.9),
        *(
            Bar(f"{name}: peak memory of the {end}", median(family, end, name), 64, " MiB", at_most=True)
            for name in growth
            for end in ("sender", "receiver")
        ),
    )


ROWS = (
    Row("speed", "speed", "MB/s"),
    Row("cpu", "processor, both ends", "ms/MB", 2),
    Row("sender", "growth of peak resident memory, sender", "MiB"),
    Row("receiver", "growth of peak resident memory, receiver", "MiB"),
    Row("first_byte", "first byte of a SOCKS request", "ms", 2),
    Row("chat", "delivery of a chat line", "ms", 2),
)

FAMILY = Family(
    NAME,
    "files through the tunnel, beside SOCKS, magic-wormhole and scp",
    measure,
    rows=ROWS,
    bars=(
        *bars(NAME, (FILE, SMALL)),
        Bar("20,000 small files / one SOCKS download", ratio(NAME, "speed", SMALL, SOCKS), 0.333),
        Bar(
            "first byte of a SOCKS request: during a file / idle",
            ratio(NAME, "first_byte", BUSY, IDLE),
            3,
            at_most=True,
        ),
        Bar("delivery of a chat line: during a file / idle", ratio(NAME, "chat", BUSY, IDLE), 3, at_most=True),
    ),
)
