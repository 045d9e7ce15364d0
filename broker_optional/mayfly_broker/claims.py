"""How many nameplates one address prefix may try in a window of time: the brake on those who guess short codes."""

from __future__ import annotations


class Claims:
    """Counters by owner, `limit` of them: the oldest makes room. Those whose window is over go once a window."""

    def __init__(self, most: int, window: float, limit: int) -> None:
        self._most = most
        self._window = window
        self._limit = limit
        self._counts: dict[str, tuple[float, int]] = {}
        self._swept = 0.0

    def __len__(self) -> int:
        return len(self._counts)

    def claim(self, owner: str, now: float) -> float | None:
        """Count one try. None when it is allowed, else the seconds until the next one is."""
        if now >= self._swept + self._window:
            self._counts = {name: entry for name, entry in self._counts.items() if entry[0] > now}
            self._swept = now
        until, count = self._counts.get(owner, (0.0, 0))
        if until <= now:
            until, count = now + self._window, 0
        if count >= self._most:
            return until - now
        if owner not in self._counts and len(self._counts) >= self._limit:
            del self._counts[next(iter(self._counts))]
        self._counts[owner] = (until, count + 1)
        return None
