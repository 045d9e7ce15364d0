"""Messages on their way into packets, and chunks that have left."""

from __future__ import annotations

from mayfly.sctp.samples import Departure

IN_FLIGHT, LOST, ACKNOWLEDGED, ABANDONED = range(4)
"""States of a chunk that has left. LOST waits to be sent again; the last two are final but for a far end's reneging."""


class Message:
    """A message that is queued, or partly in packets. `chunks` is kept only where it may be given up (RFC 3758)."""

    __slots__ = ("chunks", "data", "expiry", "max_retransmits", "position", "protocol", "sequence")

    def __init__(self, data: bytes, protocol: int, max_retransmits: int | None, expiry: float | None) -> None:
        self.data = data
        self.protocol = protocol
        self.max_retransmits = max_retransmits
        self.expiry = expiry
        self.position = 0
        self.sequence = 0
        self.chunks: list[Sent] | None = None if max_retransmits is None and expiry is None else []


class Sent:
    """One DATA chunk that has a TSN."""

    __slots__ = ("chunk", "departure", "message", "order", "size", "state", "transmissions", "tsn")

    def __init__(
        self, tsn: int, chunk: bytes, size: int, message: Message | None, departure: Departure, order: int
    ) -> None:
        self.tsn = tsn
        """Unwrapped: it only grows."""
        self.chunk = chunk
        """As it goes into a packet, padding included."""
        self.size = size
        """Bytes of user data."""
        self.message = message
        """None where it is reliable: then nobody asks, and its bytes can go."""
        self.departure = departure
        """Of the last transmission."""
        self.order = order
        """The number of the last transmission."""
        self.state = IN_FLIGHT
        self.transmissions = 1
