"""Events that a running program passes on over its control socket, as the events that they were there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, cast

from mayfly.runtime.events import EVENTS, Connected, Event

_KINDS = {kind.event: kind for kind in EVENTS}


def event_of(message: dict[str, Any]) -> Event | None:
    """The event in a control socket's object; None for one that this version does not know."""
    kind = _KINDS.get(message.get("event", ""))
    if kind is None:
        return None
    members = _flat(message) if kind is Connected else message
    make = cast("Callable[..., Event]", kind)
    return make(**{field.name: _value(members, field.name) for field in fields(kind)})


def _value(members: dict[str, Any], name: str) -> Any:
    value = members.get("from" if name == "sender" else name)
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _flat(message: dict[str, Any]) -> dict[str, Any]:
    trip = message.get("rtt_ms")
    return {**message, **(message.get("path") or {}), "round_trip": None if trip is None else trip / 1000}
