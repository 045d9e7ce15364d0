"""The relay's onion service: calls on its local port, seats, offers, and tor around it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from mayfly.errors import TorError
from mayfly.meetconfig import OnionConfig
from mayfly.onion.guest import Guest, RelayRefusesError
from mayfly.onion.messages import PORT, Accepted, Call, Offered, Refusal, encode
from mayfly.runtime.events import Listening, Warned
from mayfly.runtime.meeting import Invitation
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.tor.settings import TorSettings
from mayfly.tor.status import OnionService, TorPhase, TorStatus
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from mayfly_relay import oniondoor
from mayfly_relay.oniondoor import Calls, OnionDoor, onion_door
from support.programs_in_memory import Script

CONFIG = OnionConfig(answer_timeout=30.0)


class Scene:
    """A relay's calls, and callers."""

    def __init__(self, config: OnionConfig) -> None:
        self.network = MemoryNetwork()
        self.engine = MemoryEngine(self.network)
        self.script = Script()
        self.config = config
        self.described = 0
        self.calls = Calls(
            self.engine,
            LinkSettings(),
            config,
            self.script,
            remaining=lambda: 3600.0,
            on_description=lambda _description: self._count(),
        )
        self.port = 0
        self.writers: list[asyncio.StreamWriter] = []

    def _count(self) -> None:
        self.described += 1

    async def call(self) -> Caller:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        caller = Caller(self, Guest(self.config), reader, writer)
        writer.write(caller.guest.call())
        return caller

    def seat(self) -> asyncio.Task[Invitation]:
        return asyncio.get_running_loop().create_task(self.calls.next())


class Caller:
    """One client at the other end of the onion service."""

    def __init__(self, scene: Scene, guest: Guest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.scene = scene
        self.guest = guest
        self.reader = reader
        self.writer = writer

    async def hear(self) -> Offered | Accepted:
        while data := await self.reader.read(4096):
            if (message := self.guest.receive(data)) is not None:
                return message
        raise EOFError

    async def offer(self) -> Code:
        offered = await self.hear()
        assert isinstance(offered, Offered)
        return parse(offered.offer, wanted=Kind.OFFER, now=time.time())

    async def answer(self, offer: Code) -> Offered | Accepted:
        pending = await self.scene.engine.answer(LinkSettings(), offer.description)
        self.writer.write(self.guest.answer(Code(pending.description, int(time.time()) + 60, offer.digest).text))
        return await self.hear()


@asynccontextmanager
async def scene(config: OnionConfig = CONFIG) -> AsyncIterator[Scene]:
    made = Scene(config)
    made.port = await made.calls.listen()
    try:
        yield made
    finally:
        await made.calls.aclose()
        for writer in made.writers:
            writer.close()


async def refused(caller: Caller) -> Refusal:
    with pytest.raises(RelayRefusesError) as raised:
        await caller.hear()
    return raised.value.refused.why


async def test_a_caller_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mayfly.runtime.meeting.verification_words", lambda offer, answer: (offer.text, answer.text))
    async with scene() as relay:
        seat = relay.seat()
        caller = await relay.call()
        offer = await caller.offer()
        assert isinstance(await caller.answer(offer), Accepted)
        met = await (await seat).connect()
        assert met.words[0] == offer.text
        assert relay.described == 1
        await met.link.close()


async def test_each_caller_has_an_offer_of_its_own_which_ends_with_the_call() -> None:
    async with scene() as relay:
        seat = relay.seat()
        one, two = await relay.call(), await relay.call()
        offers = [await one.offer(), await two.offer()]
        assert offers[0] != offers[1]
        with pytest.raises(RelayRefusesError) as raised:
            await two.answer(offers[0])  # another caller's
        assert raised.value.refused.why is Refusal.ANSWER
        one.writer.close()
        await relay.calls.aclose()
        assert all(offer.spent for offer in relay.network.offers)
        seat.cancel()


async def test_without_a_seat_nobody_gets_an_offer() -> None:
    async with scene() as relay:
        assert await refused(await relay.call()) is Refusal.BUSY
        assert relay.network.offers == []


async def test_the_last_seat_goes_to_the_first_answer() -> None:
    async with scene() as relay:
        seat = relay.seat()
        one, two = await relay.call(), await relay.call()
        first, second = await one.offer(), await two.offer()
        assert isinstance(await two.answer(second), Accepted)
        with pytest.raises(RelayRefusesError) as raised:
            await one.answer(first)
        assert raised.value.refused.why is Refusal.BUSY
        await (await seat).close()
        assert relay.network.offers[0].spent


async def test_a_seat_that_is_taken_back_leaves_nothing() -> None:
    async with scene() as relay:
        seat = relay.seat()
        caller = await relay.call()
        offer = await caller.offer()
        seat.cancel()
        await asyncio.gather(seat, return_exceptions=True)
        with pytest.raises(RelayRefusesError):
            await caller.answer(offer)


async def test_an_invitation_nobody_wants_any_more_is_closed() -> None:
    async with scene() as relay:
        seat = relay.seat()
        caller = await relay.call()
        offer = await caller.offer()

        await caller.answer(offer)
        seat.cancel()  # accepted is on its way already
        result = (await asyncio.gather(seat, return_exceptions=True))[0]
        if isinstance(result, Invitation):
            await result.close()
        assert relay.network.offers[0].spent


async def test_callers_beyond_the_limit_and_offers_beyond_the_rate() -> None:
    async with scene(OnionConfig(max_callers=2, offer_burst=1, offer_rate=0.0001)) as relay:
        seat = relay.seat()
        one = await relay.call()
        await one.offer()
        assert await refused(await relay.call()) is Refusal.BUSY  # too many offers
        two = await asyncio.open_connection("127.0.0.1", relay.port)
        relay.writers.append(two[1])
        assert await refused(await relay.call()) is Refusal.BUSY  # too many calls
        seat.cancel()


async def test_silence_and_slowness_end_a_call() -> None:
    async with scene(OnionConfig(call_timeout=0.01, answer_timeout=0.01)) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        relay.writers.append(writer)
        assert b'"late"' in await reader.read()
        seat = relay.seat()
        caller = await relay.call()
        await caller.offer()
        assert await refused(caller) is Refusal.LATE
        assert relay.network.offers[0].spent
        seat.cancel()


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\n\r\n", b"x" * 100_000, encode(Call(7)), b"\n"])
async def test_whatever_else_is_said_ends_the_call(words: bytes) -> None:
    async with scene() as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        relay.writers.append(writer)
        writer.write(words)
        try:
            heard = await reader.read()
        except ConnectionResetError:
            heard = b""
        assert heard == b"" or b"refused" in heard


async def test_no_address_to_offer_is_said_here_and_is_busy_there() -> None:
    async with scene() as relay:
        relay.network.gathers = False
        seat = relay.seat()
        assert await refused(await relay.call()) is Refusal.BUSY
        assert (await relay.script.event(Warned)).stage == "gather"
        seat.cancel()


class FakeTor:
    """A tor that publishes at once."""

    def __init__(self, _settings: TorSettings, on_status: Callable[[TorStatus], None]) -> None:
        self.on_status = on_status
        self.target = ""
        self.open = False

    async def __aenter__(self) -> FakeTor:
        self.open = True
        self.on_status(TorStatus(TorPhase.BOOTSTRAPPING, 10, "reaching the Tor network", "no route"))
        self.on_status(TorStatus(TorPhase.BOOTSTRAPPING, 15, "reaching the Tor network", "no route"))
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.open = False

    async def wait_ready(self) -> None:
        self.on_status(TorStatus(TorPhase.READY, 100, "ready"))

    async def add_onion(self, port: int, target: str) -> OnionService:
        assert port == PORT
        self.target = target
        return OnionService("a" * 56 + ".onion", port, target)


async def test_the_door_starts_tor_with_the_first_invitation(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[FakeTor] = []

    def make(settings: TorSettings, on_status: Callable[[TorStatus], None]) -> FakeTor:
        made.append(FakeTor(settings, on_status))
        return made[-1]

    monkeypatch.setattr(oniondoor, "Tor", make)
    network, script = MemoryNetwork(), Script()
    async with onion_door(
        None,
        TorSettings(),
        MemoryEngine(network),
        LinkSettings(),
        script,
        remaining=lambda: 60.0,
        on_description=lambda _description: None,
    ) as door:
        assert made == []
        for count in (1, 2):
            seat = asyncio.get_running_loop().create_task(door.invite())
            assert (await script.event(Listening)).protocol == "onion"
            await asyncio.sleep(0)
            host, _, port = made[0].target.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(encode(Call()))
            assert b"mf1" in await reader.readline()
            writer.close()
            seat.cancel()
            await asyncio.gather(seat, return_exceptions=True)
            assert len(made) == 1, count
        door.freed()
        assert len(script.all(Listening)) == 1
        assert [warned.message.partition("It says: ")[2] for warned in script.all(Warned)] == ["no route."]
    assert not made[0].open


async def test_a_tor_that_cannot_start_ends_the_first_invitation(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_settings: TorSettings, _on_status: Callable[[TorStatus], None]) -> Any:
        raise TorError("tor is not installed")

    monkeypatch.setattr(oniondoor, "Tor", fail)
    made = Scene(CONFIG)
    door = OnionDoor(made.calls, TorSettings(), made.script)
    with pytest.raises(TorError, match="not installed"):
        await door.invite()
    await door.aclose()


async def test_the_tor_of_the_way_out_is_shared_and_not_ended() -> None:
    made = Scene(CONFIG)
    tor = FakeTor(TorSettings(), lambda _status: None)
    tor.open = True
    door = OnionDoor(made.calls, cast("Any", tor), made.script)
    seat = asyncio.get_running_loop().create_task(door.invite())
    await made.script.event(Listening)
    seat.cancel()
    await asyncio.gather(seat, return_exceptions=True)
    await door.aclose()
    assert tor.open
