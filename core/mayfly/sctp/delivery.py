"""The accounts from which samples of the delivery rate are made (draft-cheng-iccrg-delivery-rate-estimation §3)."""

from __future__ import annotations

from mayfly.sctp.samples import Departure


class Delivery:
    """What has arrived in all, and when. Bytes are those of user data, times are seconds."""

    __slots__ = ("_dry_until", "_first_sent", "last", "total")

    def __init__(self) -> None:
        self.total = 0
        """Bytes acknowledged so far."""
        self.last = 0.0
        """When the last of them were."""
        self._first_sent = 0.0
        self._dry_until = -1

    def departure(self, now: float, in_flight: int, *, idle: bool) -> Departure:
        """What to note of packets that leave now; `idle` where nothing is outstanding."""
        return Departure(
            now,
            self.total,
            now if idle else self.last,
            now if idle else self._first_sent,
            in_flight,
            app_limited=self._dry_until >= self.total,
        )

    def arrived(self, size: int, now: float) -> None:
        """So many bytes were acknowledged."""
        self.total += size
        self.last = now

    def sampled(self, departure: Departure) -> None:
        """That is of the packet sent last among those acknowledged."""
        self._first_sent = departure.time

    def ran_dry(self, in_flight: int) -> None:
        """More might be in flight, had there been any. What has left by now tells nothing of the path's rate."""
        self._dry_until = self.total + in_flight
