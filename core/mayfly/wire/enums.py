"""Numbers from a peer, turned into members of an enumeration."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar, overload

E = TypeVar("E", bound=IntEnum)


@overload
def member(enum: type[E], value: int) -> E | None: ...
@overload
def member(enum: type[E], value: int, default: E) -> E: ...
def member(enum: type[E], value: int, default: E | None = None) -> E | None:
    """The member with this value, or `default` for a number that we do not know."""
    try:
        return enum(value)
    except ValueError:
        return default
