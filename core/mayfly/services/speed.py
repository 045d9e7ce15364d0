"""How fast something grows, lately."""

from __future__ import annotations

from collections import deque

WINDOW = 4.0
"""Seconds that count as lately."""


class Speed:
    """Bytes a second over the last few seconds. Holds one sample for each call within them; time is an argument."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def update(self, total: int, now: float) -> float:
        """So many in all, now. Gives the rate; 0.0 at first."""
        self._samples.append((now, total))
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOW:
            self._samples.popleft()
        since, before = self._samples[0]
        return (total - before) / (now - since) if now > since else 0.0
