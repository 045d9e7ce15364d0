"""How many requests one address prefix may make, and how many connections. Sans-IO.

Requests: a token bucket for each prefix in its virtual scheduling form (the GCRA of ITU-T I.371), where one number says
when the bucket will be full again.
"""

from __future__ import annotations

from collections import OrderedDict


class RateLimit:
    """`rate` a second in the long run and `burst` at once, for each of at most `size` names."""

    def __init__(self, rate: float, burst: float, size: int) -> None:
        self._interval = 1 / rate
        self._tolerance = burst / rate
        self._size = size
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, name: str, now: float) -> float | None:
        """Count one request. None when it is allowed, else the seconds until one is."""
        full_at = max(self._full_at.pop(name, now), now)
        wait = full_at + self._interval - now - self._tolerance
        self._full_at[name] = full_at if wait > 1e-9 else full_at + self._interval
        if len(self._full_at) > self._size:
            self._full_at.popitem(last=False)
        return wait if wait > 1e-9 else None


class Room:
    """How many of something there are, in all and for each name."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._each: dict[str, int] = {}
        self.total = 0

    def enter(self, name: str | None) -> bool:
        """Count one more, unless there are too many; a name of None counts in the total alone."""
        if self.total >= self._most or (name is not None and self._each.get(name, 0) >= self._most_each):
            return False
        self.total += 1
        if name is not None:
            self._each[name] = self._each.get(name, 0) + 1
        return True

    def leave(self, name: str | None) -> None:
        """One that entered is gone."""
        self.total -= 1
        if name is not None:
            self._each[name] -= 1
            if not self._each[name]:
                del self._each[name]
