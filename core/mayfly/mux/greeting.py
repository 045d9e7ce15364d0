"""The exchange of HELLOs, and the messages of the peer that overtake its own.

The channel is unordered, so what the peer sent behind its HELLO may come first. It waits here, bounded by the credit
that the peer can know of.
"""

from __future__ import annotations

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.wire.frames import ConnectionCloseFrame, HelloFrame, decode_message
from mayfly.wire.hello import Hello

_MESSAGE_COST = 256  # a waiting message costs an object besides its bytes: many tiny ones must not cost more than few


class Greeting:
    """Our HELLO until it is sent, and the peer's, once. Times are seconds on the caller's clock."""

    __slots__ = ("_early", "_met", "_most", "_ours", "_size", "deadline")

    def __init__(self, config: MuxConfig, hello: Hello, size: int, now: float) -> None:
        self._ours: bytes | None = hello.encode().encode().ljust(size, b"\0")
        self._early: list[bytes] = []
        self._size = 0
        self._most = config.initial_connection_window + config.max_receive_message
        self.deadline = now + config.hello_timeout
        self._met = False

    def take_ours(self) -> bytes | None:
        """Our first message, once."""
        ours, self._ours = self._ours, None
        return ours

    def keep_early(self, message: bytes) -> bool:
        """Keep a message that came before the peer's HELLO. False for one that cannot wait: it holds the HELLO, or
        the peer's refusal to go on at all.

        Raises RemoteProtocolError for a peer that sends on and on without HELLO, or for a malformed first frame.
        """
        first = next(decode_message(message), None)
        if isinstance(first, HelloFrame | ConnectionCloseFrame):
            return False
        self._size += len(message) + _MESSAGE_COST
        if self._size > self._most:
            raise RemoteProtocolError(ErrorCode.PROTOCOL_VIOLATION, "the other side did not begin with HELLO")
        self._early.append(message)
        return True

    def receive(self, frame: HelloFrame) -> tuple[Hello, list[bytes]]:
        """Take the peer's HELLO. Gives it with the messages that overtook it. Raises RemoteProtocolError."""
        if self._met:
            raise RemoteProtocolError(ErrorCode.PROTOCOL_VIOLATION, "the other side sent HELLO twice")
        peer, self._met = Hello.decode(frame), True
        early, self._early = self._early, []
        return peer, early

    def clear(self) -> None:
        """Forget what waits in either direction."""
        self._ours = None
        self._early = []
