"""As much of an event loop as timers need, on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable

from support.network import World


class Timer:
    """One callback that is still due."""

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Timers:
    """`call_later` of a loop, with the time of a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer()
        self.world.at(self.world.now + delay, lambda: None if timer.cancelled else callback())
        return timer
