from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mayfly.runtime.event import Event


@dataclass(frozen=True, slots=True)
class Seen(Event):
    event: ClassVar[str] = "seen"

    first: int
    rest: tuple[str, ...]


def test_the_name_comes_first_and_tuples_become_lists() -> None:
    assert list(Seen(1, ("a", "b")).to_json().items()) == [("event", "seen"), ("first", 1), ("rest", ["a", "b"])]
