"""One bridge line's relay: made when tor asks, shared, replaced when it leaves or dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from mayfly.errors import ConnectError, LinkError, MayflyError, StreamCode, StreamResetError
from mayfly.mux.events import Side
from mayfly.runtime.events import Closed, Connected, Leaving, Warned
from mayfly.runtime.meeting import Met
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.transport.memory import MemoryLink, memory_links
from mayfly.wire.address import Destination
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Role
from mayfly_client.pt.carrier import MAX_ATTEMPTS, Carrier
from mayfly_client.pt.sources import NoRelayError
from support.programs_in_memory import Script
from support.sessions import session_on

BRIDGE = Header(Service.TCP, Destination.parse_host("192.0.2.1", 1))


class Relays:
    """A RelaySource whose relays are sessions in this process."""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.links: list[MemoryLink] = []
        self.streams: asyncio.Queue[Stream] = asyncio.Queue()
        self.errors: list[MayflyError] = []
        self.asked = asyncio.Event()
        self.hold: asyncio.Event | None = None
        self.role = Role.RELAY
        self.closed = False
        self._greetings: set[asyncio.Task[object]] = set()

    async def next(self) -> Met:
        self.asked.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.errors:
            raise self.errors.pop(0)
        ours, theirs = memory_links()
        session = session_on(theirs, self.role, on_stream=self.streams.put_nowait)
        self.sessions.append(session)
        self.links.append(theirs)
        self._greetings.add(asyncio.get_running_loop().create_task(session.start()))
        return Met(ours, ("a", "b", "c", "d", "e"))

    async def aclose(self) -> None:
        self.closed = True

    async def close(self) -> None:
        for session in self.sessions:
            await session.close()
        await asyncio.gather(*self._greetings, return_exceptions=True)


@pytest.fixture
async def relays() -> AsyncIterator[Relays]:
    made = Relays()
    yield made
    await made.close()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def carrier(relays: Relays, script: Script) -> AsyncIterator[Carrier]:
    made = Carrier(relays, script)
    yield made
    await made.aclose()


async def test_all_connections_share_one_relay(carrier: Carrier, relays: Relays, script: Script) -> None:
    streams = await asyncio.gather(*(carrier.open_stream(BRIDGE) for _ in range(3)))
    assert len({stream.id for stream in streams}) == 3
    assert len(relays.sessions) == 1
    assert len(script.all(Connected)) == 1


async def test_a_connection_that_gives_up_leaves_the_meeting_to_the_next(carrier: Carrier, relays: Relays) -> None:
    relays.hold = asyncio.Event()
    first = asyncio.get_running_loop().create_task(carrier.open_stream(BRIDGE))
    await relays.asked.wait()
    first.cancel()
    relays.asked.clear()
    second = asyncio.get_running_loop().create_task(carrier.open_stream(BRIDGE))
    await asyncio.sleep(0)
    relays.hold.set()
    await second
    assert not relays.asked.is_set()  # nobody met anew


async def test_a_relay_that_dies_is_said_and_replaced(carrier: Carrier, relays: Relays, script: Script) -> None:
    stream = await carrier.open_stream(BRIDGE)
    relays.links[0].cut()
    with pytest.raises(StreamResetError):
        await stream.read()
    await script.event(Closed)
    await carrier.open_stream(BRIDGE)
    assert len(relays.sessions) == 2
    assert (await script.event(Connected, 2)).peer == 2


async def test_a_relay_that_leaves_gets_nothing_new_and_keeps_what_is_open(
    carrier: Carrier, relays: Relays, script: Script
) -> None:
    old = await carrier.open_stream(BRIDGE)
    theirs = await relays.streams.get()
    relays.sessions[0].go_away(30.0, "the volunteer is leaving")
    await script.event(Leaving)
    await carrier.open_stream(BRIDGE)
    assert len(relays.sessions) == 2
    await old.write(b"still here")
    await theirs.read_header()
    assert await theirs.read() == b"still here"


async def test_relays_that_fail_are_said_and_the_next_is_tried(
    carrier: Carrier, relays: Relays, script: Script
) -> None:
    relays.errors = [ConnectError("nobody came"), LinkError("another thing")]
    await carrier.open_stream(BRIDGE)
    assert [warned.message for warned in script.all(Warned)] == ["Nobody came.", "Another thing."]


async def test_the_wrong_role_is_a_failure_like_any_other(carrier: Carrier, relays: Relays, script: Script) -> None:
    relays.role = Role.CLIENT
    relays.errors = []
    task = asyncio.get_running_loop().create_task(carrier.open_stream(BRIDGE))
    assert "not a relay" in (await script.event(Warned)).message
    with pytest.raises(NoRelayError, match="one relay after the other"):
        await task
    assert len(relays.sessions) == MAX_ATTEMPTS


async def test_no_relay_fails_the_connection_and_is_said_once(carrier: Carrier, relays: Relays, script: Script) -> None:
    relays.errors = [NoRelayError("none left"), NoRelayError("none left")]
    for _ in range(2):
        with pytest.raises(NoRelayError):
            await carrier.open_stream(BRIDGE)
    assert len(script.all(Warned)) == 1
    await carrier.open_stream(BRIDGE)  # and a later one may find a relay


@pytest.mark.parametrize("service", [Service.RESOLVE, Service.UDP, Service.CHAT])
async def test_a_bridge_takes_connections_only(carrier: Carrier, relays: Relays, service: Service) -> None:
    header = Header(service, BRIDGE.destination) if service is Service.RESOLVE else Header(service)
    with pytest.raises(StreamResetError):
        await carrier.open_stream(header)
    with pytest.raises(StreamResetError):
        await carrier.open_datagrams(lambda _payload: None)
    assert not relays.asked.is_set()


async def test_a_relay_s_own_streams_are_refused(carrier: Carrier, relays: Relays) -> None:
    await carrier.open_stream(BRIDGE)
    stream = await relays.sessions[0].open_stream(Header(Service.CHAT))
    with pytest.raises(StreamResetError) as raised:
        await stream.read()
    assert raised.value.code == StreamCode.UNSUPPORTED


async def test_the_end_closes_sessions_and_meetings(relays: Relays, script: Script) -> None:
    carrier = Carrier(relays, script)
    await carrier.open_stream(BRIDGE)
    await carrier.aclose()
    assert (await relays.sessions[0].wait_closed()).by is Side.PEER
    assert relays.closed
    relays.hold, waiting = asyncio.Event(), Carrier(relays, script)
    task = asyncio.get_running_loop().create_task(waiting.open_stream(BRIDGE))
    relays.asked.clear()
    await relays.asked.wait()
    await waiting.aclose()
    with pytest.raises(asyncio.CancelledError):
        await task
