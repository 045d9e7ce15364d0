"""What a test waits for: whoever notes something rings, and whoever waits looks again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


class News:
    """One place where something may happen."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something has happened."""
        self._rung.set()

    async def until(self, look: Callable[[], T | None], within: float = 30.0) -> T:
        """What a look gives, as soon as it is true. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not (found := look()):
                self._rung.clear()
                await self._rung.wait()
            return found

    async def nth(self, count: int, kept: Callable[[], Iterable[T]]) -> T:
        """The `count`th of what is kept, as soon as there are so many."""
        (found,) = await self.until(lambda: list(islice(kept(), count - 1, count)))
        return found
