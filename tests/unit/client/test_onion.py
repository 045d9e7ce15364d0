"""Meeting a relay at its onion service, with a SOCKS proxy of the test's own in tor's place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mayfly.errors import ConnectError, TorError
from mayfly.meetconfig import OnionConfig
from mayfly.onion.desk import CallerMachine, State
from mayfly.onion.messages import PORT, Refusal
from mayfly.runtime.events import Warned, Words
from mayfly.runtime.meeting import Met
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.tor.settings import TorSettings
from mayfly.tor.status import TorPhase, TorStatus
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from mayfly_client import onion
from mayfly_client.onion import OnionOptions, meet_at_onion
from support.programs_in_memory import Script

ADDRESS = "a" * 56 + ".onion"
CONFIG = OnionConfig(retry_after=0.001, patience=5.0, connect_timeout=2.0)


class Tor:
    """A SOCKS5 proxy that leads to the relay's desk. `replies` are the REPs of the next requests, 0 afterwards."""

    def __init__(self, network: MemoryNetwork) -> None:
        self.engine = MemoryEngine(network)
        self.replies: list[int] = []
        self.refusals: list[Refusal] = []
        self.garbage = b""
        self.logins: list[bytes] = []
        self.asked: list[bytes] = []
        self.port = 0
        self._calls: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = (await reader.readexactly(2))[1]
        methods = await reader.readexactly(count)
        writer.write(b"\x05\x02" if 2 in methods else b"\x05\x00")
        if 2 in methods:
            name = await reader.readexactly((await reader.readexactly(2))[1])
            await reader.readexactly((await reader.readexactly(1))[0])
            self.logins.append(name)
            writer.write(b"\x01\x00")
        head = await reader.readexactly(5)
        self.asked.append(await reader.readexactly(head[4] + 2))
        reply = self.replies.pop(0) if self.replies else 0
        writer.write(bytes([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
        if not reply:
            await self._relay(reader, writer)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = CallerMachine(CONFIG, 0.0)
        call.receive(await reader.readline())
        if self.garbage:
            writer.write(self.garbage)
            return
        if self.refusals:
            writer.write(call.refuse(self.refusals.pop(0)))
            return
        pending = await self.engine.offer(LinkSettings())
        offer = Code(pending.description, int(time.time()) + 60)
        writer.write(call.offer(offer.text, 0.0))
        call.receive(await reader.readline())
        if call.state is State.JUDGING:
            answer = parse(call.answer, wanted=Kind.ANSWER, now=time.time(), offers=[offer])
            writer.write(call.accept())
            await writer.drain()
            await pending.accept(answer.description)


@asynccontextmanager
async def running_tor(network: MemoryNetwork) -> AsyncIterator[Tor]:
    tor = Tor(network)
    idle = asyncio.Event()
    idle.set()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        idle.clear()
        try:
            await tor.serve(reader, writer)
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()
            idle.set()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    tor.port = server.sockets[0].getsockname()[1]
    try:
        yield tor
    finally:
        await idle.wait()
        server.close()
        await server.wait_closed()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> MemoryNetwork:
    monkeypatch.setattr(onion, "verification_words", lambda offer, answer: (offer.text, answer.text))
    return MemoryNetwork()


async def meet(tor: Tor, network: MemoryNetwork, script: Script, config: OnionConfig = CONFIG) -> Met:
    options = OnionOptions(address=ADDRESS, socks=("127.0.0.1", tor.port), config=config)
    return await meet_at_onion(options, MemoryEngine(network), LinkSettings(), script)


async def test_a_relay_is_met(network: MemoryNetwork) -> None:
    script = Script()
    async with running_tor(network) as tor:
        met = await meet(tor, network, script)
        assert tor.asked == [ADDRESS.encode() + PORT.to_bytes(2, "big")]
        assert len(tor.logins[0]) == 16
    assert script.all(Words) == [Words(met.words)]
    await met.link.close()


async def test_what_may_get_better_is_tried_again_and_said(network: MemoryNetwork) -> None:
    script = Script()
    async with running_tor(network) as tor:
        tor.replies = [4, 1, 4]
        tor.refusals = [Refusal.LATE, Refusal.ANSWER]
        met = await meet(tor, network, script)
    assert [warned.stage for warned in script.all(Warned)] == ["tor", "onion"]  # each trouble once
    assert len({*tor.logins}) == 1  # the circuit stays
    await met.link.close()


async def test_a_busy_relay_says_when_to_come_back(network: MemoryNetwork) -> None:
    async with running_tor(network) as tor:
        tor.refusals = [Refusal.BUSY]
        with pytest.raises(ConnectError, match="no free seat"):  # a second is more than our patience
            await meet(tor, network, Script(), OnionConfig(patience=0.5))


@pytest.mark.parametrize(
    ("garbage", "words"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", "does not speak as a relay"), (b'{"offer":"mf1x"}\n', "does not speak as a relay")],
)
async def test_something_else_at_that_address(network: MemoryNetwork, garbage: bytes, words: str) -> None:
    async with running_tor(network) as tor:
        tor.garbage = garbage
        with pytest.raises(ConnectError, match=words):
            await meet(tor, network, Script())


async def test_another_version(network: MemoryNetwork) -> None:
    async with running_tor(network) as tor:
        tor.refusals = [Refusal.VERSION]
        with pytest.raises(ConnectError, match="another version"):
            await meet(tor, network, Script())


async def test_patience_ends(network: MemoryNetwork) -> None:
    async with running_tor(network) as tor:
        tor.replies = [4] * 100
        with pytest.raises(TorError, match="cannot be reached yet"):
            await meet(tor, network, Script(), OnionConfig(retry_after=0.2, patience=0.1))


@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.0 501 No\r\n\r\n"])
async def test_no_tor_at_the_port_that_was_given(network: MemoryNetwork, answer: bytes | None) -> None:
    async with running_tor(network) as tor:
        if answer is not None:

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read(100)
                writer.write(answer)

            tor.serve = serve  # type: ignore[method-assign]  # something else listens there
            with pytest.raises(TorError, match="Nothing speaks SOCKS5"):
                await meet(tor, network, Script())
    if answer is None:
        with pytest.raises(TorError, match="Nothing speaks SOCKS5"):
            await meet(tor, network, Script())


async def test_a_tor_at_one_of_the_usual_places_is_used(
    network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        writer.write(b"220 hello\r\n")
        writer.close()

    other = await asyncio.start_server(not_socks, "127.0.0.1", 0)
    async with running_tor(network) as tor:
        places = (("127.0.0.1", other.sockets[0].getsockname()[1]), ("127.0.0.1", tor.port))
        monkeypatch.setattr(onion, "USUAL", places)
        met = await meet_at_onion(
            OnionOptions(address=ADDRESS, config=CONFIG), MemoryEngine(network), LinkSettings(), Script()
        )
        await met.link.close()
    other.close()
    await other.wait_closed()


async def test_else_one_is_started_and_ended(network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script()
    ended: list[bool] = []
    forgotten: list[int] = []
    async with running_tor(network) as proxy:

        class OwnTor:
            def __init__(self, settings: TorSettings, on_status: Callable[[TorStatus], None]) -> None:
                assert settings.torrc == ("UseBridges 1",)
                self.on_status = on_status
                self.socks = ("127.0.0.1", proxy.port)

            async def __aenter__(self) -> Any:
                for _ in range(2):
                    self.on_status(TorStatus(TorPhase.BOOTSTRAPPING, 5, "reaching the Tor network", "no route"))
                return self

            async def __aexit__(self, *_error: object) -> None:
                ended.append(True)

            async def wait_ready(self) -> None:
                pass

            async def new_identity(self) -> float:
                forgotten.append(len(proxy.asked))
                raise TorError("It is being started again.")

        proxy.replies = [4, 4]
        monkeypatch.setattr(onion, "USUAL", ())
        monkeypatch.setattr(onion, "Tor", OwnTor)
        options = OnionOptions(address=ADDRESS, tor=TorSettings(torrc=("UseBridges 1",)), config=CONFIG)
        met = await meet_at_onion(options, MemoryEngine(network), LinkSettings(), script)
        await met.link.close()
    assert ended == [True]
    assert len(script.all(Warned)) == 2
    assert forgotten == [1, 2], "before each further try, what it has found of the service"


async def test_no_way_between_the_two(network: MemoryNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    from mayfly.config import LinkConfig

    async with running_tor(network) as tor:

        async def never(_self: object, _answer: object) -> None:
            return None

        monkeypatch.setattr("mayfly.transport.memory_engine.MemoryPendingOffer.accept", never)
        options = OnionOptions(address=ADDRESS, socks=("127.0.0.1", tor.port), config=CONFIG)
        link = LinkSettings(config=LinkConfig(connect_timeout=0.05))
        with pytest.raises(ConnectError, match="no path"):
            await meet_at_onion(options, MemoryEngine(network), link, Script())
