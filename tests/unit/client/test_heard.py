"""A link with ears."""

from __future__ import annotations

import asyncio

from mayfly.runtime.tasks import TaskSet
from mayfly.transport.memory import MemoryPath, memory_links
from mayfly_client.heard import HeardLink


async def test_a_message_is_heard_and_delivered() -> None:
    ours, theirs = memory_links(MemoryPath())
    got, lost, gone = list[bytes](), list[str](), list[bool]()
    link = HeardLink(ours, lambda: gone.append(True))
    link.start(got.append, lambda: None, lost.append)
    theirs.start(lambda _message: None, lambda: None, lambda _reason: None)
    tasks = TaskSet()
    hearing = tasks.spawn(link.hears(5.0))
    await asyncio.sleep(0)
    before = link.heard
    theirs.send(b"x")
    assert await hearing
    assert got == [b"x"]
    assert link.heard >= before
    assert not gone
    hearing = tasks.spawn(link.hears(5.0))
    await asyncio.sleep(0)
    ours.cut()
    assert await hearing
    assert gone and lost
    await theirs.close()


async def test_silence_is_noticed() -> None:
    ours, theirs = memory_links(MemoryPath())
    link = HeardLink(ours, lambda: None)
    link.start(lambda _message: None, lambda: None, lambda _reason: None)
    assert not await link.hears(0.001)
    await link.close()
    await theirs.close()


async def test_all_else_is_the_other_link_s() -> None:
    ours, theirs = memory_links(MemoryPath())
    link = HeardLink(ours, lambda: None)
    assert (link.offerer, link.high_water) == (ours.offerer, ours.high_water)
    assert (link.buffered_amount, link.overruns) == (ours.buffered_amount, ours.overruns)
    assert link.path() == ours.path()
    await link.close()
    await theirs.close()
