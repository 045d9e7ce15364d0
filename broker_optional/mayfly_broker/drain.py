"""Leaving politely: nothing new begins, and those who wait are told how long the broker still serves what is open."""

from __future__ import annotations

import asyncio

POLL = 1.0
"""Long polls of a broker that leaves wait no longer than this, so that all of them hear of it."""


class Drain:
    """Whether the broker leaves, and until when."""

    def __init__(self) -> None:
        self._until: float | None = None

    def __bool__(self) -> bool:
        return self._until is not None

    def begin(self, seconds: float) -> None:
        """Leave in so many seconds."""
        self._until = asyncio.get_running_loop().time() + seconds

    def left(self) -> float | None:
        """Seconds that are left; None while the broker stays."""
        return None if self._until is None else max(0.0, self._until - asyncio.get_running_loop().time())
