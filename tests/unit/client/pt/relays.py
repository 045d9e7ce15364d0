"""Relays that wait for answers to their codes, and a client's meeting with them, in memory."""

from __future__ import annotations

import asyncio
from typing import Protocol

from mayfly.runtime.events import CodeReady
from mayfly.runtime.meeting import Meeting, Met
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from mayfly_client.pt.sources import RelaySource
from support.programs_in_memory import Script

NOW = 1_800_000_000.0


class Accept(Protocol):
    """Takes one of the answers, the newest unless another is named."""

    async def __call__(self, number: int = -1) -> None: ...


class Relays:
    """Relays that wait for answers, and the client's meeting."""

    def __init__(self, network: MemoryNetwork) -> None:
        self.engine = MemoryEngine(network)
        self.script = Script()
        self.meeting = Meeting(self.engine, LinkSettings(), self.script, self.script, clock=lambda: NOW)

    async def offer(self, *, expires: float = NOW + 900) -> tuple[str, Accept]:
        """A relay's code, and what takes an answer to it."""
        pending = await self.engine.offer(LinkSettings())

        async def accept(number: int = -1) -> None:
            answer = self.script.all(CodeReady)[number]
            await pending.accept(parse(answer.code, wanted=Kind.ANSWER, now=NOW).description)

        return Code(pending.description, int(expires)).text, accept


async def meets(relays: Relays, next_one: asyncio.Task[Met], accept: Accept, count: int = 1) -> Met:
    """Take the answer to a code on the relay's side."""
    await relays.script.code(count)
    await accept()
    return await next_one


def begin(source: RelaySource) -> asyncio.Task[Met]:
    """Ask for the next relay."""

    async def next_one() -> Met:
        return await source.next()

    return asyncio.get_running_loop().create_task(next_one())
