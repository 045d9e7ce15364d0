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
    """A loop's calls of what comes later, with the time of a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def time(self) -> float:
        return self.world.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = Timer()
        self.world.at(when, lambda: None if timer.cancelled else callback())
        return timer

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        return self.call_at(self.world.now + delay, callback)

    def call_soon(self, callback: Callable[[], None]) -> Timer:
        return self.call_at(self.world.now, callback)
