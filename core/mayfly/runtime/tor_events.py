"""What is told of a tor that a program uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mayfly.runtime.event import Event, Percent, Seconds


@dataclass(frozen=True, slots=True)
class TorChanged(Event):
    """The tor that a relay uses is further, ready, or gone.

    Told by: relay.
    """

    event: ClassVar[str] = "tor"

    state: str
    """`starting`, `bootstrapping`, `ready` or `down`."""
    percent: Percent
    """How far its bootstrap is."""
    words: str
    """What it does, for people."""
    problem: str | None
    """What stands in its way, mostly in tor's own words."""
    retry: Seconds | None
    """Until it is started again, or asked again if it is not ours; only when it is `down`."""


@dataclass(frozen=True, slots=True)
class Renewed(Event):
    """New connections through tor share no circuit with earlier ones; the answer to `mayfly relay newnym`.

    Told by: relay newnym.
    """

    event: ClassVar[str] = "newnym"

    seconds: Seconds
    """Until tor forgets the rest as well, such as the names that it looked up: it does so rarely."""
