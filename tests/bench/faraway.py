"""Subjects at the two ends of an emulated path, and how fast bytes come over it: for families about distance and loss.

The relay's end, with the origin, is the far one; bytes are downloaded. Every path has the same rate, so that what is
seen is what distance and loss do to a sender, and not how fast this machine copies packets.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path as FilePath

from bench.family import MB, Run, in_turns, missing
from bench.subjects import LINK, NODE, RAW_WRTC, STOCK_UVLOOP, TCP, TUNNEL, TUNNEL_WRTC
from bench.subjects.base import Subject
from bench.subjects.channels import channel, has_wrtc, peer_argv
from bench.subjects.proxies import ProxySubject
from support.emulator import FAR, NEAR, Path, Shape, path
from support.http import Origin
from support.mayfly import MayflyProcess, command, introduce, split_address
from support.namespaces import inside
from support.node import node_peer
from support.programs import Program, ProgramError

RATE = 25 * MB
"""Bytes a second: 200 Mbit/s."""
QUEUE = RATE // 10
"""What waits in front of the slow part at most: a tenth of a second."""
SUBJECTS = (TUNNEL, LINK, STOCK_UVLOOP, TUNNEL_WRTC, RAW_WRTC, NODE, TCP)
PROBE = 256 * 1024
LONGEST = 20 * RATE
ATTEMPT = 90.0


async def measure_point(
    run: Run, row: str, shape: Shape, wanted: Sequence[str], *, rounds: int, seconds: float
) -> None:
    """MB/s of these subjects over one path, as `row`, from transfers of about so many seconds."""
    if absent := missing("ip", "ethtool", "curl"):
        run.note(f"left out: {', '.join(absent)} is not installed")
        return
    control = FilePath("/proc/sys/net/ipv4/tcp_congestion_control")
    if control.exists():
        run.note(
            f"plain TCP is the kernel's, with {control.read_text().strip()}; every path is {RATE * 8 // MB} Mbit/s"
        )
    async with path(shape) as made, contextlib.AsyncExitStack() as stack:
        web = await stack.enter_async_context(_origin(made))
        subjects = []
        for name in wanted:
            try:
                subjects.append(await stack.enter_async_context(_subject(name, made, web, run)))
            except (ProgramError, TimeoutError) as error:
                run.note(f"{name} is left out: {str(error).splitlines()[0]}")
        sizes: dict[Subject, int] = {}
        for number, order in in_turns(subjects, rounds):
            for subject in order:
                try:
                    async with asyncio.timeout(ATTEMPT):
                        speed, sizes[subject] = await speed_of(subject, seconds, sizes.get(subject))
                except TimeoutError:
                    run.note(f"{subject.name} did not finish in {ATTEMPT:.0f} s at {row}")
                    continue
                except ProgramError as error:
                    run.note(f"{subject.name} failed at {row}: {' '.join(str(error).split())}")
                    continue
                run.add(subject.name, row, speed / MB)
                run.progress(f"{row}, round {number}: {subject.name} {speed / MB:.2f} MB/s")


async def speed_of(subject: Subject, enough: float, size: int | None) -> tuple[float, int]:
    """Bytes a second of a transfer that takes long enough for its start not to count for much, and its size.

    Begins with `size`: give the size of the last round, and there is nothing to find out again. Without one, the first
    transfer is none that counts: over distance a window's start takes it longer than the rest of its life.
    """
    if size is None:
        size = PROBE
        await subject.download(size)
    while True:
        took = await subject.download(size)
        if took > enough * 0.6 or size == LONGEST:
            return size / took, size
        # A short transfer is mostly start, so what it says of the speed is too little; never more than eightfold.
        size = int(min(size * min(8.0, 1.5 * enough / took), LONGEST))


@contextlib.asynccontextmanager
async def _origin(made: Path) -> AsyncIterator[Origin]:
    async with Program.running(*inside(made.far, sys.executable, "-m", "support.http", FAR)) as web:
        await web.until(lambda: bool(web.lines), "its port")
        yield Origin(FAR, int(web.lines[0]))


@contextlib.asynccontextmanager
async def _subject(name: str, made: Path, web: Origin, run: Run) -> AsyncIterator[Subject]:
    within = inside(made.near)
    if name in (TUNNEL_WRTC, RAW_WRTC) and not has_wrtc():
        raise ProgramError("wrtc is not installed")
    if name == TCP:
        yield ProxySubject(TCP, None, web, run.folder, list, within)
    elif name in (TUNNEL, TUNNEL_WRTC):
        async with _tunnel(name, made, web, run) as subject:
            yield subject
    else:
        ends: list[Sequence[str]] = []
        for namespace, address in ((made.far, FAR), (made.near, NEAR)):
            argv = await node_peer(address) if name == NODE else peer_argv(name, address)
            ends.append(inside(namespace, "env", "WRTC_ALLOW_LOOPBACK=0", *argv))
        async with channel(name, *ends) as (subject, _):
            yield subject


@contextlib.asynccontextmanager
async def _tunnel(name: str, made: Path, web: Origin, run: Run) -> AsyncIterator[Subject]:
    def argv(namespace: str, address: str, *rest: str) -> Sequence[str]:
        engine = ("--engine", "wrtc") if name == TUNNEL_WRTC else ("--engine", "aiortc", "--bind", address)
        mayfly = (*command(), *rest, *engine, "--json")
        return inside(namespace, "env", "WRTC_ALLOW_LOOPBACK=0", *mayfly)

    relay, client = MayflyProcess(), MayflyProcess()
    async with (
        Program.running(*argv(made.far, FAR, "relay", "--allow", f"{FAR}:*"), on_line=relay.take_line) as one,
        Program.running(
            *argv(made.near, NEAR, "client", "-", "--socks", "127.0.0.1:0"), on_line=client.take_line
        ) as two,
    ):
        relay.attach(one)
        client.attach(two)
        await introduce(relay, client)
        await asyncio.gather(relay.event("connected"), client.event("connected"))
        address = split_address((await client.event("listening"))["address"])
        yield ProxySubject(name, address, web, run.folder, lambda: [relay.process, client.process], inside(made.near))
