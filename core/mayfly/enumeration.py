"""The base of enumerations that are looked up with every packet."""

from __future__ import annotations

from enum import Enum


class IdentityEnum(Enum):
    """An enumeration whose members are hashed by identity. Enum's own hash is a call into Python each time."""

    __hash__ = object.__hash__
