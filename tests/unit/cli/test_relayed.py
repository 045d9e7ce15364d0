"""Events that came over a control socket."""

from __future__ import annotations

import pytest

from mayfly.runtime.events import Connected, Event, MessageReceived, Status
from mayfly_cli.relayed import event_of
from support.event_samples import SAMPLES
from unit.cli.played import STATUS


@pytest.mark.parametrize("event", [event for event, _ in SAMPLES], ids=lambda event: type(event).__name__)
def test_an_event_comes_out_as_it_went_in(event: Event) -> None:
    assert event_of(event.to_json()) == event


def test_unknown_events_and_members_are_ignored() -> None:
    assert event_of({"event": "newer"}) is None
    assert event_of({}) is None
    assert event_of({"event": "joined", "name": "anna", "more": 1}) is not None


def test_names_that_differ() -> None:
    message = event_of({"event": "message", "from": "anna", "to": None, "text": "hi", "time": 1, "id": "x"})
    assert message == MessageReceived("anna", None, "hi", 1, "x")
    connected = event_of({"event": "connected", "peer": 1, "role": "relay", "words": ["a"], "rtt_ms": 2.0})
    assert isinstance(connected, Connected)
    assert (connected.words, connected.rtt_ms, connected.local) == (("a",), 2.0, None)


def test_a_status() -> None:
    status = event_of(STATUS)
    assert isinstance(status, Status)
    assert status.peers[0]["rtt_ms"] == 12.3
