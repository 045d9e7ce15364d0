"""Events that a running program passes on over its control socket, as the events that they were there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar, cast

from mayfly.runtime.event import SHOWN_AS
from mayfly.runtime.events import EVENTS, Event

E = TypeVar("E", bound=Event)

_KINDS = {kind.event: kind for kind in EVENTS}


def event_of(message: dict[str, Any]) -> Event | None:
    """The event in a control socket's object; None for one that this version does not know."""
    kind = _KINDS.get(message.get("event", ""))
    return None if kind is None else made(kind, message)


def made(kind: type[E], members: dict[str, Any]) -> E:
    """An event of that kind, with what stands in a reply, or in a part of one."""
    make = cast("Callable[..., E]", kind)
    return make(**{field.name: _value(members, field.name) for field in fields(kind)})


def _value(message: dict[str, Any], member: str) -> Any:
    name, _, inner = SHOWN_AS.get(member, member).partition(".")
    value = message.get(name)
    if inner:
        within: dict[str, Any] = value or {}
        return within.get(inner)
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
