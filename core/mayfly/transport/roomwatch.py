"""Looks for room in a link while somebody may wait for it: no event tells of room that a falling mark took."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

INTERVAL = 0.2
"""Seconds between looks. Mostly an event comes long before."""


class Timer(Protocol):
    """What `Timers.call_later` gives, as asyncio.TimerHandle."""

    def cancel(self) -> None:
        """It does not come."""
        ...


class Timers(Protocol):
    """As much of an event loop as is asked for."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call back once, in `delay` seconds."""
        ...


class RoomWatch:
    """Calls `look` again and again from `begin()` to `stop()`."""

    __slots__ = ("_look", "_timer", "_timers", "on")

    def __init__(self, timers: Timers, look: Callable[[], None]) -> None:
        self._timers = timers
        self._look = look
        self._timer: Timer | None = None
        self.on = False
        """Whether it looks. An attribute because links ask for it with every message."""

    def begin(self) -> None:
        """Somebody may find no room from here on. Does nothing while it is on."""
        if not self.on:
            self.on = True
            self._timer = self._timers.call_later(INTERVAL, self._on_time)

    def stop(self) -> None:
        """There is room, or nobody waits for it any more. Does nothing while it is off."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.on = False

    def _on_time(self) -> None:
        self._timer = self._timers.call_later(INTERVAL, self._on_time)
        self._look()
