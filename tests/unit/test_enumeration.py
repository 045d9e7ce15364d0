"""Enumerations that are hashed by identity are ordinary ones otherwise."""

from __future__ import annotations

from enum import auto

from mayfly.enumeration import IdentityEnum


class _Colour(IdentityEnum):
    RED = auto()
    BLUE = auto()


def test_members_are_found_in_sets_and_tables_and_by_value() -> None:
    warm = frozenset({_Colour.RED})
    assert _Colour.RED in warm and _Colour.BLUE not in warm
    assert {(_Colour.RED, _Colour.BLUE): 7}[_Colour(1), _Colour(2)] == 7


def test_hashing_never_enters_python() -> None:
    assert vars(IdentityEnum)["__hash__"] is object.__hash__
