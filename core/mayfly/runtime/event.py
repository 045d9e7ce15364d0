"""What all events have in common."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """The base of all events. `event` is the name that machines see."""

    event: ClassVar[str] = ""

    def to_json(self) -> dict[str, Any]:
        """The event as an object of JSON types; `event` comes first, then the fields in their documented order."""
        return {"event": self.event} | {field.name: plain(getattr(self, field.name)) for field in fields(self)}


def plain(value: object) -> object:
    """A field's value as JSON has it."""
    return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
