"""Credit, RFC 9000 §4: issued when bytes are consumed, never when they are received.

The engines below give the sender no back-pressure of the far application, so these windows are the only bound on what a
peer can make us hold. A stream's window grows while the reader empties it faster than the round trip can refill it, up
to its cap, and only while what all windows have grown by leaves five eighths of the connection's cap: grown streams
whose readers stop then leave room for three hundred that never grew. Windows that did not grow do not count, or a
hundred idle streams would keep a busy one slow.

On a path of 20 ms or more each step of growth costs a round trip, which a new stream on a link that is known to be fast
need not pay again: it gets a head start, up to the largest window that a reader has needed in this session. All head
starts together stay within half of what growth may take, and each takes at most half of what is left of that.
"""

from __future__ import annotations

from mayfly.config import MuxConfig

_ANNOUNCE = 8  # credit goes out once it is worth this part of the window, as quinn does
_GROWTH_ROUND_TRIPS = 4.0
_LEAST_ROUND_TRIP = 0.02  # below this, scheduling noise and not the path decides how fast a window empties
_FAR_TOO_SMALL = 2.0  # round trips: a window that empties within them carries half of what is there, or less


class ConnectionWindow:
    """Receive credit of all streams together."""

    __slots__ = ("_config", "consumed", "grown", "limit", "needed", "received", "streams_total")

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
        self.needed = 0
        """The largest window that a reader has emptied fast enough to earn it."""

    @property
    def room_to_grow(self) -> int:
        """By how much streams may grow without crowding the others out."""
        return self._config.max_connection_window * 3 // 8 - self.grown

    def head_start(self, round_trip: float) -> int:
        """By how much a new stream's window is larger than the initial one."""
        if round_trip < _LEAST_ROUND_TRIP:
            return 0
        left = self.room_to_grow - self._config.max_connection_window * 3 // 16
        return max(0, min(self.needed - self._config.initial_stream_window, left // 2))

    def due(self) -> int | None:
        """A new limit worth announcing, or None."""
        window = min(self._config.initial_connection_window + self.streams_total, self._config.max_connection_window)
        limit = self.consumed + window
        return limit if limit - self.limit >= window // _ANNOUNCE else None


class StreamWindow:
    """Receive credit of one stream."""

    __slots__ = ("_epoch_consumed", "_epoch_start", "consumed", "highest", "limit", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.limit = size
        """The credit that the peer has been given."""
        self.highest = 0
        """The end of the furthest byte received."""
        self.consumed = 0
        self._epoch_start = 0.0
        self._epoch_consumed = 0

    def consume(self, size: int, now: float, round_trip: float, cap: int, connection: ConnectionWindow) -> bool:
        """Count bytes that the application took. Tells whether a new limit is worth announcing."""
        if self.consumed == self._epoch_consumed:
            self._epoch_start = now  # the wait for the first of them was not the reader's
        self.consumed += size
        if self.consumed + self.size - self.limit < self.size // _ANNOUNCE:
            return False
        in_epoch = self.consumed - self._epoch_consumed
        if in_epoch * 2 >= self.size:
            whole = (now - self._epoch_start) * self.size / in_epoch
            self._grow(whole / max(round_trip, _LEAST_ROUND_TRIP), cap, connection)
            self._epoch_consumed = self.consumed
        return True

    def renew(self) -> int:
        """The limit to announce now."""
        self.limit = self.consumed + self.size
        return self.limit

    def _grow(self, round_trips: float, cap: int, connection: ConnectionWindow) -> None:
        """A whole window would have been emptied in so many round trips."""
        if round_trips >= _GROWTH_ROUND_TRIPS:
            return
        room = connection.room_to_grow
        growth = min(self.size * (4 if round_trips < _FAR_TOO_SMALL else 2), cap) - self.size
        if growth > room:
            growth = min(self.size * 2, cap) - self.size
        if growth <= room:
            self.size += growth
            connection.streams_total += growth
            connection.grown += growth
            connection.needed = max(connection.needed, self.size)
