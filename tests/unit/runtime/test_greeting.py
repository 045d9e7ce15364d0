"""The first moments of a session."""

from __future__ import annotations

import asyncio

from mayfly.errors import LinkError
from mayfly.runtime.greeting import connected, greet
from mayfly.runtime.meeting import Met
from mayfly.runtime.session import Session
from mayfly.transport.memory import MemoryLink, MemoryPath, memory_links
from mayfly.wire.hello import Role
from support.sessions import session_on


def session(link: MemoryLink, role: Role) -> Session:
    return session_on(link, role, policy="web only" if role is Role.RELAY else "", lifetime=60)


async def test_both_are_told_of_the_other_with_path_and_round_trip() -> None:
    first, second = memory_links(MemoryPath(latency=0.01))
    client, relay = session(first, Role.CLIENT), session(second, Role.RELAY)
    heard, _ = await asyncio.gather(greet(client, Role.RELAY), greet(relay, Role.CLIENT))
    event = connected(3, client, Met(first, ("a", "b")), heard)
    assert event.peer == 3
    assert event.words == ("a", "b")
    assert (event.role, event.policy, event.lifetime) == ("relay", "web only", 60)
    assert (event.local, event.remote) == ("host", "host")
    assert event.rtt_ms is not None
    assert event.rtt_ms >= 19  # uvloop counts whole milliseconds
    await client.close()
    await relay.close()


async def test_a_peer_of_the_wrong_role_is_refused() -> None:
    first, second = memory_links()
    one, other = session(first, Role.CLIENT), session(second, Role.CLIENT)
    results = await asyncio.gather(greet(one, Role.RELAY), greet(other, Role.RELAY), return_exceptions=True)
    assert all(isinstance(result, LinkError) for result in results)
    await one.close()
    await other.close()


async def test_a_link_that_dies_meanwhile_does_not_hang() -> None:
    first, second = memory_links(MemoryPath(latency=0.01))
    client, relay = session(first, Role.CLIENT), session(second, Role.RELAY)
    greeting = asyncio.gather(greet(client, Role.RELAY), greet(relay, Role.CLIENT), return_exceptions=True)
    await asyncio.sleep(0)
    first.cut("gone")
    assert all(isinstance(result, LinkError) for result in await greeting)
