"""The numbers at the head of short codes: the smallest free one goes out, and rests a good while after its use."""

from __future__ import annotations

import heapq
from collections import deque


class Nameplates:
    """Numbers from 1 to `largest`. One that is given back can be had again after `rest` seconds."""

    def __init__(self, largest: int, rest: float) -> None:
        self._largest = largest
        self._rest = rest
        self._next = 1
        self._free: list[int] = []
        self._resting: deque[tuple[float, int]] = deque()

    def take(self, now: float) -> str | None:
        """The smallest number that is free; None when all are in use or at rest."""
        while self._resting and self._resting[0][0] <= now:
            heapq.heappush(self._free, self._resting.popleft()[1])
        if self._free:
            return str(heapq.heappop(self._free))
        if self._next > self._largest:
            return None
        self._next += 1
        return str(self._next - 1)

    def give_back(self, nameplate: str, now: float) -> None:
        """Let a number rest from now on."""
        self._resting.append((now + self._rest, int(nameplate)))
