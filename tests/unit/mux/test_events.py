"""What the events promise to their readers."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from mayfly.mux.events import Event, Priority, SessionClosed, Side, StreamOpened


def test_classes_are_served_in_the_order_of_their_numbers() -> None:
    assert sorted(Priority) == [Priority.CHAT, Priority.INTERACTIVE, Priority.BULK]
    assert list(Priority) == list(range(len(Priority)))  # the scheduler keeps its queues by number


def test_events_cannot_be_changed_and_compare_by_value() -> None:
    opened = StreamOpened(3)
    with pytest.raises(FrozenInstanceError):
        opened.stream_id = 4  # type: ignore[misc]
    assert opened == StreamOpened(3) != StreamOpened(4)
    assert SessionClosed(Side.US, 0, "") != SessionClosed(Side.PEER, 0, "")


def test_every_event_is_small() -> None:
    assert all(not hasattr(kind, "__dict__") for kind in map(_empty, get_args(Event)))


def _empty(kind: type[Event]) -> Event:
    return kind.__new__(kind)
