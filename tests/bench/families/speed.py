"""Throughput, first byte and small fetches on loopback: the tunnel beside bare channels, `ssh -D` and plain TCP."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from statistics import median

from bench.family import MB, Bar, Family, Row, Run, in_turns, missing, ratio
from bench.subjects import LINK, NODE, RAW_WRTC, SSH, STOCK, STOCK_UVLOOP, TCP, TUNNEL, TUNNEL_UNLIMITED, TUNNEL_WRTC
from bench.subjects.base import Subject, cpu_seconds
from bench.subjects.channels import channel, has_wrtc
from bench.subjects.proxies import ssh, tcp, tunnel
from support.http import origin
from support.node import node_peer
from support.programs import ProgramError
from support.ssh import ssh_server

NAME = "speed"
FIRST_BYTES = 80
"""Requests of which a round takes the median, before each transfer half of them. Thirty in a row are over in 60 ms, in
which one decision of the kernel's scheduler shows: rounds of the same code differed by a third."""

STREAMS = 512
"""Both together stay within what a relay lets a client connect at once (`Limits.connect_burst`)."""

FASTER = {TUNNEL: 2, TUNNEL_UNLIMITED: 2, LINK: 8, SSH: 4, TCP: 8}
SLOWER = {STOCK: 4, STOCK_UVLOOP: 2}
"""Subjects that get a multiple, or a part, of the bytes, so that each transfer takes about as long."""

Opener = Callable[[], AbstractAsyncContextManager[tuple[Subject, float]]]


async def measure(run: Run) -> None:
    """All subjects stay up side by side and take turns."""
    keys = run.folder / "ssh"
    keys.mkdir()
    async with contextlib.AsyncExitStack() as stack:
        web = await stack.enter_async_context(origin())
        openers: dict[str, Opener] = {
            TUNNEL: lambda: tunnel(TUNNEL, web, run.folder),
            TUNNEL_UNLIMITED: lambda: tunnel(TUNNEL_UNLIMITED, web, run.folder),
            LINK: lambda: channel(LINK),
            STOCK: lambda: channel(STOCK),
            STOCK_UVLOOP: lambda: channel(STOCK_UVLOOP),
            TCP: lambda: tcp(web, run.folder),
        }
        if has_wrtc():
            openers[TUNNEL_WRTC] = lambda: tunnel(TUNNEL_WRTC, web, run.folder)
            openers[RAW_WRTC] = lambda: channel(RAW_WRTC)
        else:
            run.note("wrtc is not installed, so it is left out")
        if absent := missing("node", "npm"):
            run.note(f"node-datachannel is left out: {', '.join(absent)} is not installed")
        else:
            openers[NODE] = _node
        if absent := missing("ssh", "sshd"):
            run.note(f"ssh -D is left out: {', '.join(absent)} is not installed")
        else:
            server = await stack.enter_async_context(ssh_server(keys))
            openers[SSH] = lambda: ssh(server, web, run.folder)
        run.note("Snowflake is left out: Debian packages its client and proxy, but neither its broker nor its server")
        subjects = []
        for name in filter(run.wants, openers):
            try:
                subject, seconds = await stack.enter_async_context(openers[name]())
            except (ProgramError, TimeoutError) as error:
                run.note(f"{name} is left out: {error}")
                continue
            if seconds:
                run.add(name, "setup", seconds * 1000)
            subjects.append(subject)
        size = run.scaled(64, 16) * MB
        for number, order in in_turns(subjects, run.rounds):
            run.progress(f"round {number} of {run.rounds}")
            for subject in order:
                try:
                    await _round(run, subject, size * FASTER.get(subject.name, 1) // SLOWER.get(subject.name, 1))
                except ProgramError as error:  # its round has fewer samples; the others go on
                    run.note(f"{subject.name} failed in round {number}: {' '.join(str(error).split())}")


@contextlib.asynccontextmanager
async def _node() -> AsyncIterator[tuple[Subject, float]]:
    argv = await node_peer("127.0.0.1")
    async with channel(NODE, argv, argv) as found:
        yield found


async def _round(run: Run, subject: Subject, size: int) -> None:
    waits: list[float] = []
    for row, move in (("down", subject.download), ("up", subject.upload)):
        waits += [await subject.first_byte() for _ in range(FIRST_BYTES // 2)]
        before = cpu_seconds(subject.processes())
        seconds = await move(size)
        run.add(subject.name, row, size / MB / seconds)
        if subject.processes():
            run.add(subject.name, f"cpu_{row}", (cpu_seconds(subject.processes()) - before) * 1000 / (size / MB))
    run.add(subject.name, "first_byte", median(waits) * 1000)
    count = run.scaled(STREAMS, STREAMS // 4)
    took = await subject.streams(count)
    if took is not None:
        run.add(subject.name, "streams", count / took)


FAMILY = Family(
    NAME,
    "throughput and latency on loopback",
    measure,
    rows=(
        Row("down", "download", "MB/s"),
        Row("up", "upload", "MB/s"),
        Row("first_byte", "first byte, warm, new stream", "ms", 2),
        Row("streams", "small fetches, new stream each, 32 at once", "1/s", 0),
        Row("setup", "set-up, from the pasted answer", "ms"),
        Row("cpu_down", "processor, download, both ends", "ms/MB", 2),
        Row("cpu_up", "processor, upload, both ends", "ms/MB", 2),
    ),
    bars=(
        Bar("download: tunnel on the aiortc engine / bare stock aiortc", ratio(NAME, "down", TUNNEL, STOCK), 4),
        Bar("upload: tunnel on the aiortc engine / bare stock aiortc", ratio(NAME, "up", TUNNEL, STOCK), 4),
        Bar("download: bare aiortc engine / bare stock aiortc", ratio(NAME, "down", LINK, STOCK), 7),
        Bar("upload: bare aiortc engine / bare stock aiortc", ratio(NAME, "up", LINK, STOCK), 7),
        Bar("download: tunnel on wrtc / bare wrtc channel", ratio(NAME, "down", TUNNEL_WRTC, RAW_WRTC), 0.6),
        Bar("upload: tunnel on wrtc / bare wrtc channel", ratio(NAME, "up", TUNNEL_WRTC, RAW_WRTC), 0.6),
        Bar("first byte: tunnel / ssh -D", ratio(NAME, "first_byte", TUNNEL, SSH), 1.5, at_most=True),
        Bar("small fetches a second: tunnel / ssh -D", ratio(NAME, "streams", TUNNEL, SSH), 0.3),
    ),
    for_bars=(TUNNEL, TUNNEL_UNLIMITED, LINK, STOCK, TUNNEL_WRTC, RAW_WRTC, SSH),
)
