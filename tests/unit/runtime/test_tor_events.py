from __future__ import annotations

from mayfly.runtime import events
from mayfly.runtime.tor_events import Renewed, TorChanged


def test_they_belong_to_the_schema() -> None:
    assert {TorChanged, Renewed} <= set(events.EVENTS)
