"""The link that a session gets: messages over one channel of libwebrtc."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import webrtc

from mayfly.sctp.endings import CLOSED, NOT_BINARY, SEND_FAILED, TOO_BIG
from mayfly.signaling.description import CandidateType
from mayfly.transport.base import LinkSettings, PathInfo
from mayfly.transport.connecting import OUR_FAULT, PATH_GONE
from mayfly.transport.highwater import LEAST, HighWater
from mayfly.transport.mailbox import Mailbox
from mayfly.transport.wrtc.connection import NativeConnection, address_of, type_of

_SPAN = 0.02
"""Seconds of the rate that may wait: what makes room comes from another thread, later than in an engine of ours. More
must not wait, for on a slow path a sign of life would come behind it too late."""

_ROOM_CHECK = 0.2
"""Seconds between looks for room while there is none: `bufferedamountlow` has failed to come for others."""


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
        self._round_trip: float | None = None
        self._measuring: asyncio.Task[None] | None = None
        self._room_timer: asyncio.TimerHandle | None = None
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
            raise ValueError(f"a message of {len(message)} bytes is above max_message")
        if self._mailbox.ended:
            return
        try:
            self._channel.send(message)
        except (webrtc.InvalidStateError, webrtc.OperationError, TypeError):
            self._fail(SEND_FAILED)
            return
        self._sent += len(message)
        # The mark may fall before anything leaves, and whoever then finds no room must be told of it.
        if self._room_timer is None and self._channel.buffered_amount > LEAST // 2:
            self._room_timer = self._loop.call_later(_ROOM_CHECK, self._check_room)

    def flush(self) -> None:
        """Nothing waits for the loop."""

    def path(self) -> PathInfo:
        """Statistics of the path in use; bytes are those of messages. The round trip is that of the call before."""
        pair = self._connection.pair
        local = remote = address = None
        if pair is not None:
            local, remote = type_of(pair.local) or CandidateType.HOST, type_of(pair.remote)
            address = address_of(pair.remote)
        if not self._mailbox.ended and (self._measuring is None or self._measuring.done()):
            self._measuring = self._loop.create_task(self._measure())
        return PathInfo(local, remote, self._round_trip, self._sent, self._received, address)

    async def close(self) -> None:
        """End the link: let what was sent leave, tell the far end, and free everything. Idempotent."""
        ended = self._mailbox.ended
        self._mailbox.close()
        self._stop_room_timer()
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

    async def _measure(self) -> None:
        self._round_trip = await self._connection.round_trip()

    # events

    def _on_message(self, event: webrtc.MessageEvent) -> None:
        message = event.data
        if not isinstance(message, bytes):
            self._fail(NOT_BINARY)
        elif len(message) > self._limits.max_message:
            self._fail(TOO_BIG)
        else:
            self._received += len(message)
            try:
                self._mailbox.deliver(message)
            except Exception as error:
                self._loop.call_exception_handler({"message": "a link's receiver failed", "exception": error})
                self._fail(OUR_FAULT)

    def _on_close(self) -> None:
        self._ended.set()
        self._fail(CLOSED)

    def _fail(self, reason: str) -> None:
        self._stop_room_timer()
        self._mailbox.end(reason)

    def _check_room(self) -> None:
        self._room_timer = self._loop.call_later(_ROOM_CHECK, self._check_room)
        self._look_for_room()

    def _look_for_room(self) -> None:
        waiting = self._channel.buffered_amount
        self._high_water.moved(self._sent - waiting, self._loop.time())
        enough = self.high_water // 2
        self._channel.buffered_amount_low_threshold = enough
        if waiting <= enough:
            self._stop_room_timer()
            self._mailbox.writable()

    def _stop_room_timer(self) -> None:
        if self._room_timer is not None:
            self._room_timer.cancel()
            self._room_timer = None
