"""Messages that wait to be cut into chunks (RFC 9260 §6.9), and which of them are given up (RFC 3758)."""

from __future__ import annotations

from collections import deque

from mayfly.sctp.flight import Message
from mayfly.sctp.wire import BINARY, BINARY_EMPTY, DATA, DATA_HEADER, FIRST, LAST, SSN_MASK, UNORDERED

_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
_pack = DATA.pack


class Outgoing:
    """The queue. `unsent` is the bytes in it that no chunk has taken."""

    __slots__ = ("_channel", "_flags", "_messages", "_next_sequence", "unsent")

    def __init__(self, channel: int, *, ordered: bool) -> None:
        self._channel = channel
        self._flags = 0 if ordered else UNORDERED
        self._messages: deque[Message] = deque()
        self._next_sequence = 0
        self.unsent = 0

    @property
    def first(self) -> int:
        """Bytes left of the message that is next."""
        message = self._messages[0]
        return len(message.data) - message.position

    def put(self, data: bytes, max_retransmits: int | None, expiry: float | None) -> None:
        """Queue a message. SCTP has no empty ones, so RFC 8831 §6.6 sends one byte under another protocol."""
        message = Message(data or b"\0", BINARY if data else BINARY_EMPTY, max_retransmits, expiry)
        self._messages.append(message)
        self.unsent += len(message.data)

    def cut(self, tsn: int, space: int) -> tuple[bytes, int, Message]:
        """The next chunk with at most `space` bytes of data: chunk, bytes of data, and the message that it is of."""
        message = self._messages[0]
        data = message.data
        begin = message.position
        end = begin + space
        flags = self._flags
        if begin == 0:
            flags |= FIRST
            if not flags & UNORDERED:
                message.sequence = self._next_sequence
                self._next_sequence = (self._next_sequence + 1) & SSN_MASK
        if end >= len(data):
            end = len(data)
            flags |= LAST
            self._messages.popleft()
        message.position = end
        size = end - begin
        self.unsent -= size
        piece = data if size == len(data) else data[begin:end]
        chunk = _pack(0, flags, DATA_HEADER + size, tsn, self._channel, message.sequence, message.protocol) + piece
        return (chunk + _PADDING[size & 3] if size & 3 else chunk), size, message

    def drop_expired(self, now: float) -> None:
        """Leave out what nobody wants any more and no chunk has been made of."""
        messages = self._messages
        while messages and messages[0].position == 0 and (expiry := messages[0].expiry) is not None and expiry < now:
            self.unsent -= len(messages.popleft().data)

    def give_up(self, message: Message) -> bool:
        """Forget the rest of a message that was being cut. Whether there was any."""
        if not self._messages or self._messages[0] is not message:
            return False
        self._messages.popleft()
        self.unsent -= len(message.data) - message.position
        return True
