"""How often each peer may offer something, sans-IO. Every offer is told to people, who would see nothing else."""

from __future__ import annotations

from mayfly.bucket import Bucket

OFFER_RATE = 4.0
"""Offers a second of one peer in the long run; what comes faster waits."""

OFFER_BURST = 64
"""Offers that may come at once."""


class Turns:
    """The turns of all peers, each known by its number. One that has left is forgotten."""

    def __init__(self, rate: float = OFFER_RATE, burst: int = OFFER_BURST) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: dict[int, Bucket] = {}

    def take(self, peer: int, now: float) -> float:
        """Take the next turn of a peer: in how many seconds it is. `now` is on any one clock."""
        bucket = self._buckets.get(peer)
        if bucket is None:
            bucket = self._buckets[peer] = Bucket(self._rate, self._burst)
        delay = max(0.0, (1.0 - bucket.level(now)) / self._rate)
        bucket.spend(1)
        return delay

    def forget(self, peer: int) -> None:
        """The peer has left; another one may have its number."""
        self._buckets.pop(peer, None)
