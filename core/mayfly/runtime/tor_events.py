"""What is told of a tor that a program uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mayfly.runtime.event import Event


@dataclass(frozen=True, slots=True)
class TorChanged(Event):
    """The tor that this program uses is further, ready, or gone."""

    event: ClassVar[str] = "tor"

    state: str
    """`starting`, `bootstrapping`, `ready` or `down`."""
    percent: int
    """How far its bootstrap is."""
    words: str
    """What it does, for people."""
    problem: str | None
    """What stands in its way, mostly in tor's own words."""
    retry: float | None
    """Seconds until it is started again, or asked again if it is not ours; only when it is down."""


@dataclass(frozen=True, slots=True)
class Renewed(Event):
    """New streams through tor share no circuit with earlier ones; the answer to `mayfly relay newnym`."""

    event: ClassVar[str] = "newnym"

    seconds: float
    """Seconds until tor forgets the rest as well, such as the names that it looked up: it does so rarely."""
