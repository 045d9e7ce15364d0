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
        self._out: set[int] = set()
        self._free: list[int] = []
        self._resting: deque[tuple[float, int]] = deque()

    def take(self, now: float, wish: str | None = None) -> str | None:
        """The number that is wished for, else the smallest that is free; None when all are in use or at rest."""
        while self._resting and self._resting[0][0] <= now:
            number = self._resting.popleft()[1]
            self._out.discard(number)
            heapq.heappush(self._free, number)
        number = int(wish or 0)
        if not 1 <= number <= self._largest or number in self._out:
            number = self._smallest()
        if number > self._largest:
            return None
        self._out.add(number)
        return str(number)

    def give_back(self, nameplate: str, now: float) -> None:
        """Let a number rest from now on."""
        self._resting.append((now + self._rest, int(nameplate)))

    def _smallest(self) -> int:
        while self._free:
            number = heapq.heappop(self._free)
            if number not in self._out:  # else somebody has wished for it meanwhile
                return number
        while self._next in self._out:
            self._next += 1
        return self._next
