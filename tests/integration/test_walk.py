"""The walk of a byte, as core/ARCHITECTURE.md tells it: each layer once, in order, seen by tracing one byte."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from mayfly.runtime.splice import splice_socket
from mayfly.runtime.stream import Stream
from mayfly.transport.aiortc.engine import AiortcEngine
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Role
from support.documents import read, rows, section
from support.links import connect
from support.programs import ROOT
from support.sessions import session_on

Step = tuple[str, str]
"""A layer, and the function of it that was called."""

TRIES = 20
"""Bytes among which there is one that nothing else disturbs."""


def walk(column: int) -> dict[tuple[Path, str], str]:
    """The layer of each function that a column of the table names, by its file; in the order of the table."""
    found: dict[tuple[Path, str], str] = {}
    for cells in rows(section(read("core/ARCHITECTURE.md"), "## The walk of a byte")):
        if len(cells) == 4:
            files = re.findall(r"`([\w/]+\.py)`", cells[1])
            for name in re.findall(r"`(\w+)\(\)`", cells[column]):
                found |= {(ROOT / file, name): cells[0] for file in files}
    return found


@contextmanager
def traced(named: dict[tuple[Path, str], str]) -> Iterator[list[Step]]:
    """Every call of those functions meanwhile."""
    steps: list[Step] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            layer = named.get((Path(frame.f_code.co_filename), frame.f_code.co_name))
            if layer is not None:
                steps.append((layer, frame.f_code.co_name))

    sys.setprofile(note)
    try:
        yield steps
    finally:
        sys.setprofile(None)


def order(steps: list[Step]) -> list[str]:
    """The layers, each where it was met first."""
    return list(dict.fromkeys(layer for layer, _ in steps))


async def test_a_byte_crosses_each_layer_once_and_in_order() -> None:
    loop = asyncio.get_running_loop()
    streams: asyncio.Queue[Stream] = asyncio.Queue()
    near, far = await connect(AiortcEngine())
    client = session_on(near, Role.CLIENT)
    relay = session_on(far, Role.RELAY, on_stream=streams.put_nowait)
    await asyncio.gather(client.start(), relay.start())
    ours = await client.open_stream(Header(Service.CHAT))
    theirs = await streams.get()
    await theirs.read_header()
    application, inner = socket.socketpair()
    server, outer = socket.socketpair()
    for each in (application, inner, server, outer):
        each.setblocking(False)
    splices = [loop.create_task(splice_socket(ours, inner)), loop.create_task(splice_socket(theirs, outer))]

    async def carry(byte: bytes) -> None:
        await loop.sock_sendall(application, byte)
        assert await loop.sock_recv(server, 9) == byte

    async def undisturbed(named: dict[tuple[Path, str], str], layers: list[str]) -> list[Step]:
        """The calls for one byte. On a busy machine late SACKs and credit of those before come in between: not here."""
        tries = TRIES
        while True:
            with traced(named) as steps:
                await carry(b"x")
            tries -= 1
            if order(steps) == layers or not tries:
                return steps

    await carry(b"1")  # all is joined now
    down, up = walk(2), walk(3)
    layers = list(dict.fromkeys(down.values()))
    assert len(layers) == 9
    sent = await undisturbed(down, layers)
    assert order(sent) == layers
    # Below the session other messages may pass at the same time, such as a PING's answer.
    for once in (("splice", "buffer_updated"), ("stream", "put"), ("session", "put")):
        assert sent.count(once) == 1, once
    # The session hands what has come to its multiplexer, and tells the stream, whose splice then takes it.
    layers = [*reversed(layers[4:]), "session", "multiplexer", "stream", "splice"]
    received = await undisturbed(up, layers)
    assert order(received) == layers
    for once in (("stream", "on_readable"), ("splice", "stream_readable")):
        assert received.count(once) == 1, once
    application.close()
    server.close()
    await asyncio.gather(*splices)
    await asyncio.gather(client.close(), relay.close())
