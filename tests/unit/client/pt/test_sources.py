"""Sources of relays: codes of the line, a broker, one after the other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from mayfly.errors import CodeError, CodeGoneError, ConnectError, MayflyError, MistypedCodeError
from mayfly.runtime.meeting import Met
from mayfly_client.pt.sources import FromBroker, GivenCodes, InTurn, NoRelayError
from unit.client.pt.relays import Relays, begin, meets


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


async def test_codes_hold_nothing(relays: Relays) -> None:
    await GivenCodes((), relays.meeting).aclose()
