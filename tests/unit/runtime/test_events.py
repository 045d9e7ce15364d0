"""The schema of events."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from mayfly.runtime import events
from mayfly.runtime.events import EVENTS, Event, Problem
from support.event_samples import SAMPLES


@pytest.mark.parametrize(("event", "expected"), SAMPLES, ids=lambda value: type(value).__name__)
def test_machines_see_the_documented_object(event: Event, expected: dict[str, Any]) -> None:
    seen = event.to_json()
    assert seen == expected
    assert next(iter(seen)) == "event"
    assert json.loads(json.dumps(seen)) == expected


def test_the_list_of_events_is_complete_and_each_has_a_sample() -> None:
    classes = {value for value in vars(events).values() if isinstance(value, type) and issubclass(value, Event)}
    defined = classes - {Event, Problem}
    assert defined == set(EVENTS) == {type(event) for event, _ in SAMPLES}
    assert len({event.event for event in EVENTS}) == len(EVENTS)


@pytest.mark.parametrize("kind", EVENTS)
def test_events_cannot_be_changed_or_extended(kind: type[Event]) -> None:
    event = next(event for event, _ in SAMPLES if type(event) is kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(event, dataclasses.fields(event)[0].name, None)
    assert not hasattr(event, "__dict__")
