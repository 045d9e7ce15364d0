"""The link that a session gets: messages over one channel of libwebrtc."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import webrtc

from mayfly.sctp.endings import CLOSED, NOT_BINARY, SEND_FAILED, TOO_BIG
from mayfly.transport.base import LinkSettings, PathInfo, above_max_message
from mayfly.transport.connecting import PATH_GONE
from mayfly.transport.highwater import LEAST, HighWater
from mayfly.transport.mailbox import Mailbox
from mayfly.transport.roomwatch import RoomWatch
from mayfly.transport.wrtc.connection import NativeConnection
from mayfly.transport.wrtc.path import Selected

_SPAN = 0.02
"""Seconds of the rate that may wait: what makes room comes from another thread, later than in an engine of ours. More
must not wait, for on a slow path a sign of life would come behind it too late."""


class WrtcLink:
    """Fulfils `base.Link`."""

    def __init__(self, connection: NativeConnection, settings: LinkSettings, *, offerer: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._channel = connection.channel
        self._offerer = offerer
        self._limits = settings.engine
        self._high_water = HighWater(LEAST, settings.config.native_high_water, self._loop.time(), _SPAN)
        self._mailbox = Mailbox(self._loop, max_early=self._limits.max_early)
        self._sent = self._received = 0
        self._path = Selected()
        self._measuring: asyncio.Task[None] | None = None
        self._watch = RoomWatch(self._loop, self._look_for_room)  # `bufferedamountlow` has failed to come for others
        self._ended = asyncio.Event()
        self._channel.buffered_amount_low_threshold = self.high_water // 2
        self._channel.on("message", self._on_message)
        self._channel.on("bufferedamountlow", lambda _event: self._look_for_room())
        self._channel.on("closing", lambda _event: self._fail(CLOSED))
        self._channel.on("close", lambda _event: self._on_close())
        connection.on_failed(lambda: self._fail(PATH_GONE))

    async def open(self, patience: float) -> None:
        """Wait for the open channel, as NativeConnection.opened. Raises ConnectError."""
        await self._connection.opened(patience)
        await self._measure()
        self._connection.on_path(self._look_at_path)

    # base.Link

    @property
    def offerer(self) -> bool:
        """Whether our end made the offer."""
        return self._offerer

    @property
    def high_water(self) -> int:
        """Bytes of buffered_amount above which nothing more should be sent."""
        return self._high_water.mark

    @property
    def buffered_amount(self) -> int:
        """Bytes handed to send() that have not left for the network."""
        return self._channel.buffered_amount

    @property
    def overruns(self) -> bool:
        """dcSCTP does (core/ARCHITECTURE.md, "Over distance")."""
        return True

    def start(
        self, receive: Callable[[bytes], None], writable: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        """Begin delivery; called once."""
        self._mailbox.start(receive, writable, lost)

    def send(self, message: bytes) -> None:
        """Queue one message. Raises ValueError above `EngineConfig.max_message`."""
        if len(message) > self._limits.max_message:
            raise above_max_message(message)
        if self._mailbox.ended:
            return
        try:
            self._channel.send(message)
        except (webrtc.InvalidStateError, webrtc.OperationError, TypeError):
            self._fail(SEND_FAILED)
            return
        self._sent += len(message)
        # The mark may fall before anything leaves, and whoever then finds no room must be told of it.
        if not self._watch.on and self._channel.buffered_amount > LEAST // 2:
            self._watch.begin()

    def flush(self) -> None:
        """Nothing waits for the loop."""

    def path(self) -> PathInfo:
        """Statistics of the path in use; bytes are those of messages, the round trip is that of the call before."""
        self._look_at_path()
        path = self._path
        return PathInfo(path.local, path.far.type, path.round_trip, self._sent, self._received, path.far.address)

    async def close(self) -> None:
        """End the link: let what was sent leave, tell the far end, and free everything. Idempotent."""
        ended = self._mailbox.ended
        self._mailbox.close()
        self._watch.stop()
        if self._measuring is not None:
            self._measuring.cancel()
            await asyncio.wait({self._measuring})
        if not ended and self._channel.ready_state == "open":
            # Closing the channel comes after all that was queued, and is what the far end hears of.
            self._channel.close()
            try:
                async with asyncio.timeout(self._limits.linger):
                    await self._ended.wait()
            except TimeoutError:
                pass
        self._connection.close()

    def _look_at_path(self) -> None:
        if not self._mailbox.ended and (self._measuring is None or self._measuring.done()):
            self._measuring = self._loop.create_task(self._measure())

    async def _measure(self) -> None:
        self._path = await self._connection.path() or self._path

    # events

    def _on_message(self, event: webrtc.MessageEvent) -> None:
        message = event.data
        if not isinstance(message, bytes):
            self._fail(NOT_BINARY)
        elif len(message) > self._limits.max_message:
            self._fail(TOO_BIG)
        else:
            self._received += len(message)
            self._mailbox.deliver(message)

    def _on_close(self) -> None:
        self._ended.set()
        self._fail(CLOSED)

    def _fail(self, reason: str) -> None:
        self._watch.stop()
        self._mailbox.end(reason)

    def _look_for_room(self) -> None:
        waiting = self._channel.buffered_amount
        self._high_water.moved(self._sent - waiting, self._loop.time())
        enough = self.high_water // 2
        self._channel.buffered_amount_low_threshold = enough
        if waiting <= enough:
            self._watch.stop()
            self._mailbox.writable()
