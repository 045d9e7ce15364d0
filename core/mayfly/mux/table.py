"""Which streams exist, which may be opened, and by whom. RFC 9000 §2.1 and §4.6.

The offerer's streams have even identifiers, the answerer's odd ones; each side counts its own up by two. The channel is
unordered, so a stream may be heard of before an older one: the ones in between are remembered as due, and everything
else below the highest is closed.
"""

from __future__ import annotations

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from mayfly.mux.events import Priority
from mayfly.mux.stream import MuxStream

_ANNOUNCE = 8


class StreamTable:
    """The open streams of one end, and the limits on opening more."""

    __slots__ = (
        "_chats",
        "_closed_of_peer",
        "_config",
        "_due",
        "_freed",
        "_local_bit",
        "_next_of_peer",
        "_next_ours",
        "_open_of_ours",
        "_streams",
        "our_limit",
        "peer_limit",
    )

    def __init__(self, config: MuxConfig, *, offerer: bool) -> None:
        self._config = config
        self._local_bit = 0 if offerer else 1
        self._streams: dict[int, MuxStream] = {}
        self._chats = 0
        self._next_ours = 0
        self._open_of_ours = 0
        self._freed = False
        self._next_of_peer = 0
        self._due: set[int] = set()
        self._closed_of_peer = 0
        self.our_limit = 0
        """How many streams we may have opened since the start."""
        self.peer_limit = config.max_streams
        """How many the peer may have opened since the start."""

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def busy(self) -> int:
        """Open streams without those of the chat class, which last as long as the session."""
        return len(self._streams) - self._chats

    def set_priority(self, stream_id: int, priority: Priority) -> None:
        """Move a stream to another class. Raises LocalProtocolError."""
        stream = self.require(stream_id)
        self._chats += (priority is Priority.CHAT) - (stream.priority is Priority.CHAT)
        stream.priority = priority

    def get(self, stream_id: int) -> MuxStream | None:
        """The open stream of that id."""
        return self._streams.get(stream_id)

    def require(self, stream_id: int) -> MuxStream:
        """The open stream of that id, for our own application. Raises LocalProtocolError."""
        try:
            return self._streams[stream_id]
        except KeyError:
            raise LocalProtocolError(ErrorCode.STREAM_STATE_ERROR, f"stream {stream_id} is not open") from None

    @property
    def can_open(self) -> bool:
        """Whether the peer lets us open one more, and ours that have not ended are not too many already.

        The second holds a peer in check that allows any number and never lets one end.
        """
        return self._next_ours < self.our_limit and self._open_of_ours < self._config.max_streams

    def next_id(self) -> int:
        """Take the identifier for a stream of ours. Raises LocalProtocolError unless can_open."""
        if not self.can_open:
            raise LocalProtocolError(ErrorCode.STREAM_LIMIT_ERROR, "the other side allows no more streams now")
        number = self._next_ours
        self._next_ours += 1
        return 2 * number + self._local_bit

    def is_ours(self, stream_id: int) -> bool:
        """Whether our end opens streams of such an identifier."""
        return stream_id & 1 == self._local_bit

    def must_open(self, stream_id: int) -> bool:
        """Whether a frame of the peer opens this stream: True to open it, False when it was closed long ago.

        Raises RemoteProtocolError for a stream of ours that we never opened, or above the limit we gave.
        """
        number = stream_id >> 1
        if self.is_ours(stream_id):
            if number >= self._next_ours:
                raise RemoteProtocolError(
                    ErrorCode.STREAM_STATE_ERROR, "the other side spoke of a stream that was never opened"
                )
            return False
        if number >= self.peer_limit:
            raise RemoteProtocolError(ErrorCode.STREAM_LIMIT_ERROR, "the other side opened more streams than it may")
        if number >= self._next_of_peer:
            self._due.update(range(self._next_of_peer, number))
            self._next_of_peer = number + 1
            return True
        if number in self._due:
            self._due.remove(number)
            return True
        return False

    def add(self, stream: MuxStream) -> None:
        """Keep an opened stream."""
        self._streams[stream.id] = stream
        self._open_of_ours += self.is_ours(stream.id)
        self._chats += stream.priority is Priority.CHAT

    def remove(self, stream: MuxStream) -> None:
        """Let an ended stream go."""
        del self._streams[stream.id]
        self._chats -= stream.priority is Priority.CHAT
        if not self.is_ours(stream.id):
            self._closed_of_peer += 1
            return
        self._freed = self._freed or self._open_of_ours == self._config.max_streams
        self._open_of_ours -= 1

    def has_room_again(self) -> bool:
        """Whether one of our own streams has ended since the last call when there were as many as may be."""
        freed, self._freed = self._freed, False
        return freed and self.can_open

    def due_limit(self) -> int | None:
        """A new peer_limit worth announcing, or None."""
        limit = self._closed_of_peer + self._config.max_streams
        return limit if limit - self.peer_limit >= max(1, self._config.max_streams // _ANNOUNCE) else None

    def clear(self) -> None:
        """Forget all streams."""
        self._streams.clear()
        self._chats = 0
        self._due.clear()
