"""Patience, with words."""

from __future__ import annotations

from mayfly.errors import BrokerDownError
from mayfly.runtime.broker.persistence import Persistence
from mayfly.runtime.events import Warned
from support.fake_broker import HASTY
from support.programs_in_memory import Script


async def test_the_same_reason_is_said_once_and_again_after_it_had_worked() -> None:
    script = Script()
    patience = Persistence(script, HASTY)
    for _ in range(5):
        await patience.failed(BrokerDownError("one"))
    await patience.failed(BrokerDownError("two"))
    patience.worked()
    await patience.failed(BrokerDownError("two"))
    assert [event.message for event in script.all(Warned)] == ["One.", "Two.", "Two."]
    assert {event.stage for event in script.all(Warned)} == {"broker"}
