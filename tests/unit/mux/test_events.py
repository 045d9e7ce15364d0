"""What the events promise to their readers."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from mayfly.errors import ErrorCode
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


@pytest.mark.parametrize(
    ("by", "code", "in_order"),
    [
        (Side.PEER, ErrorCode.NO_ERROR, True),
        (Side.US, ErrorCode.DRAINED, True),
        (Side.LINK, ErrorCode.NO_ERROR, False),
        (Side.PEER, ErrorCode.FLOW_CONTROL_ERROR, False),
        (Side.US, ErrorCode.LIVENESS_TIMEOUT, False),
    ],
)
def test_a_session_is_left_in_order_or_not(by: Side, code: ErrorCode, in_order: bool) -> None:
    assert SessionClosed(by, code, "").in_order is in_order


def test_every_event_is_small() -> None:
    assert all(not hasattr(kind, "__dict__") for kind in map(_empty, get_args(Event)))


def _empty(kind: type[Event]) -> Event:
    return kind.__new__(kind)
