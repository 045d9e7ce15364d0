"""Sources of relays: codes of the line, codes in a file, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mayfly.errors import CodeError, CodeGoneError, ConnectError, MayflyError, MistypedCodeError
from mayfly.runtime.events import CodeReady
from mayfly.runtime.meeting import Meeting, Met
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Kind
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory_engine import MemoryEngine, MemoryNetwork
from mayfly_client.pt import sources
from mayfly_client.pt.sources import CodeFile, FromBroker, GivenCodes, InTurn, NoRelayError
from support.programs_in_memory import Script

NOW = 1_800_000_000.0

Accept = Callable[[], Awaitable[None]]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> MemoryNetwork:
    monkeypatch.setattr("mayfly.runtime.meeting.verification_words", lambda offer, answer: (offer.text, answer.text))
    return MemoryNetwork()


class Relays:
    """Relays that wait for answers, and the client's meeting."""

    def __init__(self, network: MemoryNetwork) -> None:
        self.engine = MemoryEngine(network)
        self.script = Script()
        self.meeting = Meeting(self.engine, LinkSettings(), self.script, self.script, clock=lambda: NOW)

    async def offer(self, *, expires: float = NOW + 900) -> tuple[str, Accept]:
        """A relay's code, and what takes the newest answer to it."""
        pending = await self.engine.offer(LinkSettings())

        async def accept() -> None:
            answer = self.script.all(CodeReady)[-1]
            await pending.accept(parse(answer.code, wanted=Kind.ANSWER, now=NOW).description)

        return Code(pending.description, int(expires)).text, accept


@pytest.fixture
def relays(network: MemoryNetwork) -> Relays:
    return Relays(network)


async def meets(relays: Relays, next_one: asyncio.Task[Met], accept: Accept, count: int = 1) -> Met:
    """Take the answer to a code on the relay's side."""
    await relays.script.code(count)
    await accept()
    return await next_one


def begin(source: sources.RelaySource) -> asyncio.Task[Met]:
    async def next_one() -> Met:
        return await source.next()

    return asyncio.get_running_loop().create_task(next_one())


async def test_codes_of_the_line_are_used_in_order_and_once(relays: Relays) -> None:
    first, accept_first = await relays.offer()
    second, accept_second = await relays.offer()
    source = GivenCodes((first, second), relays.meeting)
    assert (await meets(relays, begin(source), accept_first)).words[0] == first
    assert (await meets(relays, begin(source), accept_second, 2)).words[0] == second
    with pytest.raises(NoRelayError, match="every code"):
        await source.next()


async def test_a_code_that_is_wrong_is_an_error_of_its_own_and_the_next_call_goes_on(relays: Relays) -> None:
    source = GivenCodes(("mf1nonsense",), relays.meeting)
    with pytest.raises(MistypedCodeError):
        await source.next()
    with pytest.raises(NoRelayError):
        await source.next()


async def test_a_file_gives_its_newest_code_and_none_twice(relays: Relays, tmp_path: Path) -> None:
    old, accept_old = await relays.offer()
    new, accept_new = await relays.offer()
    stale, _ = await relays.offer(expires=NOW - 60)
    path = tmp_path / "codes.txt"
    path.write_text(f"from a friend:\n> {old}\n{new}\n{stale}\nmf1nonsense\n")
    source = CodeFile(path, relays.meeting, waiting=lambda: pytest.fail("there are codes"), clock=lambda: NOW)
    assert (await meets(relays, begin(source), accept_new)).words[0] == new
    assert (await meets(relays, begin(source), accept_old, 2)).words[0] == old


async def test_a_file_is_waited_for(relays: Relays, tmp_path: Path) -> None:
    code, accept = await relays.offer()
    path, waiting = tmp_path / "codes.txt", asyncio.Event()
    source = CodeFile(path, relays.meeting, waiting=waiting.set, clock=lambda: NOW, poll=0.001)
    task = begin(source)
    await waiting.wait()
    path.write_text(code)
    assert (await meets(relays, task, accept)).words[0] == code


async def test_only_the_end_of_a_huge_file_is_looked_at(relays: Relays, tmp_path: Path) -> None:
    lost, _ = await relays.offer()
    kept, accept = await relays.offer()
    path = tmp_path / "codes.txt"
    path.write_bytes(lost.encode() + b"\n" + b"\xff\n" * sources.MAX_FILE + kept.encode())
    waiting = asyncio.Event()
    source = CodeFile(path, relays.meeting, waiting=waiting.set, clock=lambda: NOW, poll=0.001)
    assert (await meets(relays, begin(source), accept)).words[0] == kept
    task = begin(source)
    await waiting.wait()
    task.cancel()


class Fails:
    """A source that raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0
        self.closed = False

    async def next(self) -> Met:
        self.asked += 1
        raise self.error

    async def aclose(self) -> None:
        self.closed = True


class Broker(Fails):
    """A broker's source, as far as it is used."""

    entered = 0
    met = Met(cast("Any", None), ("word",))

    async def __aenter__(self) -> Broker:
        self.entered += 1
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()

    async def next(self) -> Any:
        if self.asked == 0:
            self.asked += 1
            return SimpleNamespace(met=self.met)
        return await super().next()


async def test_sources_in_turn() -> None:
    empty, broken = Fails(NoRelayError("empty")), Fails(CodeError("this one is bad"))
    with pytest.raises(CodeError, match="bad"):
        await InTurn((empty, broken)).next()
    with pytest.raises(CodeError, match="bad"):
        await InTurn((broken, empty)).next()
    assert (empty.asked, broken.asked) == (1, 2)
    with pytest.raises(NoRelayError, match="empty"):
        await InTurn((empty,)).next()


async def test_closing_closes_all() -> None:
    one, two = Fails(NoRelayError("one")), Fails(NoRelayError("two"))
    await InTurn((one, two)).aclose()
    assert one.closed
    assert two.closed


@pytest.mark.parametrize(
    ("error", "comes"),
    [(CodeGoneError("no-such-nameplate", "gone"), NoRelayError), (ConnectError("nobody came"), ConnectError)],
)
async def test_a_broker_s_relays(error: MayflyError, comes: type[MayflyError]) -> None:
    broker = Broker(error)
    source = FromBroker(cast("Any", broker))
    await source.aclose()
    assert not broker.closed  # nobody asked it yet
    assert await source.next() is broker.met
    with pytest.raises(comes):
        await source.next()
    assert broker.entered == 1
    await source.aclose()
    assert broker.closed


async def test_codes_hold_nothing(relays: Relays, tmp_path: Path) -> None:
    await GivenCodes((), relays.meeting).aclose()
    await CodeFile(tmp_path, relays.meeting, waiting=lambda: None).aclose()
