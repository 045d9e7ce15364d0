from __future__ import annotations

from mayfly.runtime import events, service_events
from mayfly.runtime.event import Event


def test_they_belong_to_the_schema() -> None:
    here = {value for value in vars(service_events).values() if isinstance(value, type) and issubclass(value, Event)}
    assert here - {Event} <= set(events.EVENTS)
    assert len(here) == 9
