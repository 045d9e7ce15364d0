"""The receiving half of every link: what arrives before `start()` is kept, and the end is told exactly once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

TOO_MANY_EARLY = "the other side sent more than is kept before the session starts"
OUR_FAULT = "an error in this program ended the link"


class Mailbox:
    """Hands messages, room and the end of a link to whoever called `start()`, never from inside one of its own calls.

    `lost` comes after every message that arrived before it, and not at all after `close()`. At most `max_early` bytes
    are kept until then; a far end that sends more loses the link. A receiver that raises loses it too: what is below
    knows nothing of us, and would blame the far end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, max_early: int) -> None:
        self._loop = loop
        self._max_early = max_early
        self._early: deque[bytes] = deque()
        self._early_bytes = 0
        self._receive: Callable[[bytes], None] | None = None
        self._writable: Callable[[], None] | None = None
        self._lost: Callable[[str], None] | None = None
        self._flowing = False
        self._closed = False
        self._reason: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the link has ended, by either side."""
        return self._closed or self._reason is not None

    @property
    def early(self) -> int:
        """Bytes kept for the start, each message counted with its bookkeeping."""
        return self._early_bytes

    def start(
        self, receive: Callable[[bytes], None], writable: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        """Begin delivery. Raises RuntimeError when called twice."""
        if self._lost is not None:
            raise RuntimeError("a link is started once")
        self._receive, self._writable, self._lost = receive, writable, lost
        self._loop.call_soon(self._flush)

    def deliver(self, message: bytes) -> None:
        """Hand over one message, or keep it until the start. Does nothing once the link has ended."""
        if self.ended:
            return
        if self._flowing and self._receive is not None:
            try:
                self._receive(message)
            except Exception as error:
                self._blame_ourselves(error)
            return
        # A message of no bytes costs memory too, so each is counted with its bookkeeping.
        self._early_bytes += len(message) + 64
        if self._early_bytes > self._max_early:
            self.end(TOO_MANY_EARLY)
            return
        self._early.append(message)

    def writable(self) -> None:
        """Tell that there is room again."""
        if self._flowing and not self.ended and self._writable is not None:
            self._writable()

    def end(self, reason: str) -> None:
        """End the link for a cause that is not our own close(). Only the first call counts."""
        if self.ended:
            return
        self._reason = reason
        if self._flowing:
            self._loop.call_soon(self._tell)

    def close(self) -> None:
        """End the link ourselves: nothing is delivered or told from here on."""
        self._closed = True
        self._early.clear()

    def _flush(self) -> None:
        try:
            while self._early and self._receive is not None:
                self._receive(self._early.popleft())
        except Exception as error:
            self._blame_ourselves(error)
        self._early_bytes = 0
        self._flowing = True
        self._tell()

    def _blame_ourselves(self, error: Exception) -> None:
        self._loop.call_exception_handler({"message": "a link's receiver failed", "exception": error})
        self.end(OUR_FAULT)

    def _tell(self) -> None:
        """Say so where the link has ended."""
        if not self._closed and self._reason is not None and self._lost is not None:
            self._lost(self._reason)
