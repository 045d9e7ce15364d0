"""A link that remembers when it was last heard, so that a relay's silence can be noticed from outside the session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mayfly.transport.base import Link, PathInfo


class HeardLink:
    """Another link, with ears. Fulfils `base.Link`. `gone` is called when the link was lost."""

    def __init__(self, link: Link, gone: Callable[[], None]) -> None:
        self._link = link
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[bool]] = set()
        self.heard = self._loop.time()
        """When the last message came, on the loop's clock."""

    async def hears(self, seconds: float) -> bool:
        """Whether a message comes within so many seconds; also the link's end is one."""
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiting.add(waiter)
        timer = self._loop.call_later(seconds, _finish, waiter, False)
        try:
            return await waiter
        finally:
            timer.cancel()
            self._waiting.discard(waiter)

    @property
    def offerer(self) -> bool:
        """Whether our end made the offer."""
        return self._link.offerer

    @property
    def high_water(self) -> int:
        """Bytes of buffered_amount above which nothing more should be sent."""
        return self._link.high_water

    @property
    def buffered_amount(self) -> int:
        """Bytes that have not left for the network."""
        return self._link.buffered_amount

    @property
    def overruns(self) -> bool:
        """Whether it has to be held back."""
        return self._link.overruns

    def start(
        self, receive: Callable[[bytes], None], writable: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        """Begin delivery."""

        def received(message: bytes) -> None:
            self._hear()
            receive(message)

        def ended(reason: str) -> None:
            self._hear()
            self._gone()
            lost(reason)

        self._link.start(received, writable, ended)

    def send(self, message: bytes) -> None:
        """Queue one message."""
        self._link.send(message)

    def flush(self) -> None:
        """Let what was sent leave at once."""
        self._link.flush()

    def path(self) -> PathInfo:
        """The path in use."""
        return self._link.path()

    async def close(self) -> None:
        """End the link."""
        self._hear()
        await self._link.close()

    def _hear(self) -> None:
        self.heard = self._loop.time()
        if self._waiting:
            for waiter in self._waiting:
                _finish(waiter, True)


def _finish(waiter: asyncio.Future[bool], heard: bool) -> None:
    if not waiter.done():
        waiter.set_result(heard)
