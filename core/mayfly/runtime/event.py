"""What all events have in common, and the types of their members.

core/CATALOGUE.md and its test read the source of the events: a class's docstring, its members with their types in the
order of the JSON object, and the docstring beneath each member. The line `Told by:` names the commands that print it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

Foreign: TypeAlias = str
"""Text that the other side wrote, as it came: escape it (`mayfly.runtime.terminal.printable`) before it is shown."""
UnixTime: TypeAlias = int
"""A point in time, in seconds."""
UnixMilliseconds: TypeAlias = int
Seconds: TypeAlias = float
"""A span."""
Milliseconds: TypeAlias = float
Bytes: TypeAlias = int
BytesPerSecond: TypeAlias = float
Percent: TypeAlias = int

SHOWN_AS = {"sender": "from", "local": "path.local", "remote": "path.remote"}
"""Members with another name in JSON: one that Python keeps for itself, and two in an object of their own."""


@dataclass(frozen=True, slots=True)
class Event:
    """The base of all events. `event` is the name that machines see."""

    event: ClassVar[str] = ""

    def to_json(self) -> dict[str, Any]:
        """The event as an object of JSON types; `event` comes first, then the members in their documented order."""
        shown: dict[str, Any] = {"event": self.event}
        for field in fields(self):
            name, _, inner = SHOWN_AS.get(field.name, field.name).partition(".")
            value = _plain(getattr(self, field.name))
            if inner:
                shown.setdefault(name, {})[inner] = value
            else:
                shown[name] = value
        return shown


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def sentence(text: str) -> str:
    """A message or hint with a capital at its beginning and a full stop at its end.

    What begins with no plain word (an option, a path, a name in quotes) or ends with what may be copied stays so.
    """
    beginning = re.match("[a-z]+(?=[ ,:']|$)", text)
    capital = text[:1].upper() + text[1:] if beginning else text
    ended = capital.endswith((".", "!", "?", "…")) or re.search(r"[:/=]\S*[^`)]$", capital) or not capital
    return capital if ended else capital + "."
