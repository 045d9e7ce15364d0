"""Five hundred streams at once, each with its own bytes both ways, and one reader among them that has stopped."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from pathlib import Path

import pytest

from mayfly.config import MIB, MuxConfig, SpliceConfig
from support import socks
from support.bodies import BLOCK
from support.mayfly import MayflyProcess, Tunnel, tunnel
from support.tcp import echo, exchange, serving, tagged

STREAMS = 500
SIZE = 128 * 1024
STALLED_SIZE = 32 * MIB
STALLED_TAG = 1 << 32
AN_IDLE_STREAM = 64 * 1024
"""Bytes that a local connection costs beside the multiplexer: socket, transport, task, Python's own allocator."""


def peak_memory(process: MayflyProcess) -> int:
    """The highest resident memory that a process ever had, in bytes (proc(5): VmHWM)."""
    status = Path(f"/proc/{process.program.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


async def far_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The server: its peer's first 8 bytes are its tag; send the mirrored tag's body, check what comes."""
    tag = int.from_bytes(await reader.readexactly(8), "big")
    if tag == STALLED_TAG:
        for block in tagged(tag, STALLED_SIZE):
            writer.write(block)
            await writer.drain()
        return
    await exchange(reader, writer, STREAMS + tag, tag, SIZE)


async def one(pair: Tunnel, server: tuple[str, int], tag: int) -> None:
    """The client's side of one stream."""
    async with await socks.connect((pair.host, pair.port), *server, timeout=60) as connection:
        connection.writer.write(tag.to_bytes(8, "big"))
        await exchange(connection.reader, connection.writer, tag, STREAMS + tag, SIZE)


async def finish(connection: socks.Connection) -> tuple[int, str]:
    """Read all that the stalled connection has to give."""
    digest = hashlib.sha256()
    size = 0
    while data := await connection.reader.read(BLOCK):
        digest.update(data)
        size += len(data)
    return size, digest.hexdigest()


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_five_hundred_streams_each_way_beside_a_stalled_reader() -> None:
    async with serving(far_end) as server, tunnel() as pair:
        at_rest = {process: process.resident() for process in (pair.relay, pair.client)}
        async with await socks.connect((pair.host, pair.port), *server) as stalled:
            stalled.writer.write(STALLED_TAG.to_bytes(8, "big"))
            async with asyncio.timeout(120), asyncio.TaskGroup() as group:
                for tag in range(STREAMS):
                    group.create_task(one(pair, server, tag))
            bound = MuxConfig().worst_case_memory + STREAMS * AN_IDLE_STREAM
            for process, resting in at_rest.items():
                grown = peak_memory(process) - resting
                assert grown <= bound, f"{process.program.name} grew by {grown / MIB:.0f} MiB, bound {bound / MIB:.0f}"
            digest = hashlib.sha256(b"".join(tagged(STALLED_TAG, STALLED_SIZE)))
            async with asyncio.timeout(60):
                assert await finish(stalled) == (STALLED_SIZE + 8, digest.hexdigest())


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_downloads_that_nobody_reads_stay_within_the_stated_memory() -> None:
    """Three hundred servers send without end, and the application never reads."""
    unread = 300

    async def endless(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(bytes(BLOCK))
                await writer.drain()

    async with serving(endless) as server, tunnel() as pair, contextlib.AsyncExitStack() as stack:
        at_rest = {process: process.resident() for process in (pair.relay, pair.client)}
        connections = [
            await stack.enter_async_context(await socks.connect((pair.host, pair.port), *server)) for _ in range(unread)
        ]
        for connection in connections:
            connection.writer.transport.pause_reading()  # type: ignore[attr-defined]
        settled, before = sum(at_rest.values()), 0
        while settled - before > MIB:  # until nothing grows any more
            await asyncio.sleep(1)
            settled, before = sum(process.resident() for process in at_rest), settled
        bound = MuxConfig().worst_case_memory + unread * (SpliceConfig().worst_case + AN_IDLE_STREAM)
        for process, resting in at_rest.items():
            grown = peak_memory(process) - resting
            assert grown <= bound, f"{process.program.name} grew by {grown / MIB:.0f} MiB, bound {bound / MIB:.0f}"


async def test_more_streams_than_allowed_wait_and_do_not_break() -> None:
    async with serving(echo) as server, tunnel(("--allow", "127.0.0.1:*", "--max-streams", "8")) as pair:

        async def ask() -> None:
            async with await socks.connect((pair.host, pair.port), *server) as connection:
                connection.writer.write(b"x")
                assert await connection.reader.readexactly(1) == b"x"

        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            for _ in range(40):
                group.create_task(ask())
