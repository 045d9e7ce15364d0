"""What congestion control and loss detection are told. A rate-based controller finds all that it needs here."""

from __future__ import annotations

from dataclasses import dataclass


class Departure:
    """The state of the sender when packets left together, shared by all their chunks.

    With it, whatever is acknowledged later gives a sample of the delivery rate: the growth of `delivered` over the
    longer of the time that it took to send (from `first` to `time`) and to be acknowledged (from `delivered_time`).
    """

    __slots__ = ("app_limited", "delivered", "delivered_time", "first", "in_flight", "time")

    def __init__(
        self, time: float, delivered: int, delivered_time: float, first: float, in_flight: int, *, app_limited: bool
    ) -> None:
        self.time = time
        self.delivered = delivered
        """Bytes acknowledged so far."""
        self.delivered_time = delivered_time
        """When the last of them were."""
        self.first = first
        """When the packet left whose acknowledgement was the last one."""
        self.in_flight = in_flight
        self.app_limited = app_limited
        """Whether less was in flight than the window allowed, for want of data."""


@dataclass(frozen=True, slots=True)
class AckSample:
    """One SACK that acknowledged something. Bytes are those of user data, times are seconds."""

    now: float
    acknowledged: int
    """Bytes that this SACK told of for the first time."""
    lost: int
    """Bytes that it made us count as lost."""
    delivered: int
    """Bytes acknowledged in all."""
    in_flight: int
    """Bytes in flight before this SACK."""
    departure: Departure
    """Of the chunk sent last among those acknowledged."""
    round_trip: float | None
    """Of that chunk; None where a retransmission leaves it open."""
    smoothed: float
    minimum: float
    limited: bool
    """Whether the window (or pacing) was what held the sender back. Otherwise the window need not grow."""


@dataclass(frozen=True, slots=True)
class LossSample:
    """Chunks that have to be sent again."""

    now: float
    lost: int
    """Bytes."""
    sent: float
    """When the last of them had left. Losses of packets that left before the last reduction are the same event."""
    in_flight: int
    """Bytes in flight before."""
    departure: Departure
    """Of the last of them."""
