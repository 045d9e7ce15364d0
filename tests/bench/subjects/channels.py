"""Bare channels between two processes, without a tunnel over them: what an engine can do at most."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Sequence
from importlib.util import find_spec
from typing import Any

import psutil

from bench.subjects import LINK, RAW_WRTC, STOCK, STOCK_UVLOOP
from support.programs import Program, ProgramError

Argv = Sequence[str]


def peer_argv(name: str, address: str = "127.0.0.1") -> Argv:
    """The command of one end."""
    python = (sys.executable, "-m")
    match name:
        case _ if name == STOCK:
            return (*python, "bench.peers.stock", address, "asyncio")
        case _ if name == STOCK_UVLOOP:
            return (*python, "bench.peers.stock", address, "uvloop")
        case _ if name == LINK:
            return (*python, "bench.peers.link", address, "uvloop", "aiortc")
        case _ if name == RAW_WRTC:
            return (*python, "bench.peers.native", "uvloop")
        case _:
            raise ProgramError(f"there is no bare channel called {name}")


def has_wrtc() -> bool:
    """Whether the native engine is installed."""
    return find_spec("webrtc") is not None


class ChannelSubject:
    """Two processes that hold one channel."""

    def __init__(self, name: str, relay: Program, client: Program) -> None:
        self.name = name
        self._relay = relay
        self._client = client

    def processes(self) -> list[psutil.Process]:
        return [psutil.Process(self._relay.pid), psutil.Process(self._client.pid)]

    async def download(self, size: int) -> float:
        return await self._move(self._relay, self._client, size)

    async def upload(self, size: int) -> float:
        return await self._move(self._client, self._relay, size)

    async def _move(self, sender: Program, receiver: Program, size: int) -> float:
        async with asyncio.TaskGroup() as group:
            arrived = group.create_task(told(receiver))
            group.create_task(ask(sender, {"do": "send", "bytes": size}))
        return float(arrived.result()["seconds"])

    async def first_byte(self) -> float:
        answer = await ask(self._client, {"do": "ping", "count": 1})
        return float(answer["seconds"][0])

    async def streams(self, count: int) -> float | None:
        return None


async def told(peer: Program) -> dict[str, Any]:
    """The next line that a bare end says."""
    await peer.until(lambda: bool(peer.lines), "an answer", timeout=600)
    answer = json.loads(peer.lines.pop(0))
    assert isinstance(answer, dict)
    return answer


async def ask(peer: Program, command: dict[str, Any]) -> dict[str, Any]:
    """Give a bare end a command and await its answer."""
    await peer.write_line(json.dumps(command))
    return await told(peer)


@contextlib.asynccontextmanager
async def channel(
    name: str, relay_argv: Argv | None = None, client_argv: Argv | None = None
) -> AsyncIterator[tuple[ChannelSubject, float]]:
    """A connected bare channel, and the seconds its set-up took from the pasted answer. The relay's end offers."""
    relay_argv, client_argv = relay_argv or peer_argv(name), client_argv or peer_argv(name)
    async with Program.running(*relay_argv) as relay, Program.running(*client_argv) as client:
        offer = (await ask(relay, {"do": "offer"}))["description"]
        answer = (await ask(client, {"do": "answer", "offer": offer}))["description"]
        accepted = await ask(relay, {"do": "accept", "answer": answer})
        yield ChannelSubject(name, relay, client), float(accepted["seconds"])
