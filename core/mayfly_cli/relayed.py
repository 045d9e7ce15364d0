"""Events that a running program passes on over its control socket, as the events that they were there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, cast

from mayfly.runtime.event import SHOWN_AS
from mayfly.runtime.events import EVENTS, Event

_KINDS = {kind.event: kind for kind in EVENTS}


def event_of(message: dict[str, Any]) -> Event | None:
    """The event in a control socket's object; None for one that this version does not know."""
    kind = _KINDS.get(message.get("event", ""))
    if kind is None:
        return None
    make = cast("Callable[..., Event]", kind)
    return make(**{field.name: _value(message, field.name) for field in fields(kind)})


def _value(message: dict[str, Any], member: str) -> Any:
    name, _, inner = SHOWN_AS.get(member, member).partition(".")
    value = message.get(name)
    if inner:
        within: dict[str, Any] = value or {}
        return within.get(inner)
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
