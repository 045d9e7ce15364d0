"""Credit, RFC 9000 §4: issued when bytes are consumed, never when they are received.

The engines below give the sender no back-pressure of the far application, so these windows are the only bound on what a
peer can make us hold. A stream's window grows while the reader empties it faster than the round trip can refill it, up
to its cap, and only while what all windows have grown by leaves five eighths of the connection's cap: grown streams
whose readers stop then leave room for three hundred that never grew. Windows that did not grow do not count, or a
hundred idle streams would keep a busy one slow.
"""

from __future__ import annotations

from mayfly.config import MuxConfig

_ANNOUNCE = 8  # credit goes out once it is worth this part of the window, as quinn does
_GROWTH_ROUND_TRIPS = 4.0
_LEAST_ROUND_TRIP = 0.02  # below this, scheduling noise and not the path decides how fast a window empties


class ConnectionWindow:
    """Receive credit of all streams together."""

    __slots__ = ("_config", "consumed", "grown", "limit", "received", "streams_total")

    def __init__(self, config: MuxConfig) -> None:
        self._config = config
        self.limit = config.initial_connection_window
        """The credit that the peer has been given."""
        self.received = 0
        self.consumed = 0
        self.streams_total = 0
        """The windows of all open streams together."""
        self.grown = 0
        """What of that the open streams have grown by."""

    def may_grow_by(self, size: int) -> bool:
        """Whether a stream's window may grow without crowding the others out."""
        return self.grown + size <= self._config.max_connection_window * 3 // 8

    def due(self) -> int | None:
        """A new limit worth announcing, or None."""
        window = min(self._config.initial_connection_window + self.streams_total, self._config.max_connection_window)
        limit = self.consumed + window
        return limit if limit - self.limit >= window // _ANNOUNCE else None


class StreamWindow:
    """Receive credit of one stream."""

    __slots__ = ("_epoch_consumed", "_epoch_start", "consumed", "highest", "limit", "size")

    def __init__(self, size: int, now: float) -> None:
        self.size = size
        self.limit = size
        """The credit that the peer has been given."""
        self.highest = 0
        """The end of the furthest byte received."""
        self.consumed = 0
        self._epoch_start = now
        self._epoch_consumed = 0

    def consume(self, size: int, now: float, round_trip: float, cap: int, connection: ConnectionWindow) -> bool:
        """Count bytes that the application took. Tells whether a new limit is worth announcing."""
        self.consumed += size
        if self.consumed + self.size - self.limit < self.size // _ANNOUNCE:
            return False
        in_epoch = self.consumed - self._epoch_consumed
        if in_epoch * 2 >= self.size:
            expected = _GROWTH_ROUND_TRIPS * max(round_trip, _LEAST_ROUND_TRIP) * in_epoch / self.size
            grown = min(self.size * 2, cap)
            if now - self._epoch_start < expected and connection.may_grow_by(grown - self.size):
                connection.streams_total += grown - self.size
                connection.grown += grown - self.size
                self.size = grown
            self._epoch_start = now
            self._epoch_consumed = self.consumed
        return True

    def renew(self) -> int:
        """The limit to announce now."""
        self.limit = self.consumed + self.size
        return self.limit
