"""A session: the multiplexer driven over one link.

All waiting is the link's and the loop's; all rules are the multiplexer's. Messages leave by `outflow.Outflow`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from mayfly.config import MuxConfig, StreamHeaderConfig
from mayfly.errors import ErrorCode, LinkLostError, RemoteProtocolError, StreamCode, StreamResetError
from mayfly.mux.events import (
    DatagramReceived,
    Event,
    GoAwayReceived,
    HelloReceived,
    Priority,
    SessionClosed,
    Side,
    StreamOpened,
    StreamReadable,
    StreamReset,
    StreamsAvailable,
    StreamStopped,
    StreamWritable,
)
from mayfly.mux.multiplexer import Multiplexer
from mayfly.runtime.introduction import LocalHello, PeerHello, heard, own_hello
from mayfly.runtime.outflow import Outflow
from mayfly.runtime.rate import Rates
from mayfly.runtime.stream import Stream
from mayfly.runtime.tasks import TaskSet
from mayfly.transport.base import Link, PathInfo
from mayfly.wire.enums import member
from mayfly.wire.header import Header

_FIRST_MESSAGE = range(1300, 2501)  # bytes, past one packet: core/PROTOCOL.md, "Padding"


class Session:
    """Streams and datagrams over one link. `on_stream` is called for each stream that the peer opens."""

    def __init__(
        self,
        link: Link,
        hello: LocalHello,
        *,
        config: MuxConfig,
        on_stream: Callable[[Stream], None],
        on_datagram: Callable[[int, bytes], None],
        rates: Rates | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._config = config
        self._link = link
        self._on_stream = on_stream
        self._on_datagram = on_datagram
        self._on_goaway: Callable[[float, str], None] = lambda _seconds, _reason: None
        self._receive_limiter = None if rates is None else rates.receiving
        self._mux = Multiplexer(
            config,
            own_hello(config, hello),
            offerer=link.offerer,
            hello_size=secrets.choice(_FIRST_MESSAGE),
            now=self._now(),
            restrained=link.overruns,
        )
        self._outflow = Outflow(
            self._mux,
            link,
            None if rates is None else rates.sending,
            flushed=self._flushed,
            dispatch=self._dispatch,
        )
        self._streams: dict[int, Stream] = {}
        self._openers: deque[asyncio.Future[None]] = deque()
        self._throttled: dict[int, Stream] = {}
        self._rate_timer: asyncio.TimerHandle | None = None
        self._peer: asyncio.Future[PeerHello] = self._loop.create_future()
        self._end: asyncio.Future[SessionClosed] = self._loop.create_future()
        self._idle: asyncio.Event | None = None
        self._measured = asyncio.Event()
        self._tasks = TaskSet()
        self._link_closed: asyncio.Future[None] = self._loop.create_future()
        self.header_config = StreamHeaderConfig()
        self.scratch = memoryview(bytearray(64 * 1024))
        self.bytes_sent = 0
        """Bytes of streams that our programs handed over."""
        self.bytes_received = 0
        """Bytes of streams that our programs took."""
        self.last_active = self._now()
        """When a stream last moved a byte, on the loop's clock."""

    # The session as a whole

    async def start(self) -> PeerHello:
        """Exchange HELLO. Raises LinkLostError, or RemoteProtocolError for a peer that does not speak Mayfly."""
        self._link.start(self._on_message, self._outflow.wake, self._on_lost)
        self._outflow.wake()
        either: list[asyncio.Future[Any]] = [self._peer, self._end]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._peer.done():
            return self._peer.result()
        end = self._end.result()
        if end.by is Side.US:
            raise RemoteProtocolError(member(ErrorCode, end.code, ErrorCode.PROTOCOL_VIOLATION), end.reason)
        raise LinkLostError(f"the other side left before saying hello: {end.reason}")

    @property
    def peer(self) -> PeerHello:
        """What the peer said of itself; only after start()."""
        return self._peer.result()

    @property
    def end(self) -> SessionClosed:
        """How the session ended; only after wait_closed()."""
        return self._end.result()

    @property
    def ended(self) -> bool:
        """Whether it is over, for whatever reason."""
        return self._end.done()

    @property
    def open_streams(self) -> int:
        """Streams of both sides that are not over, on this end or on the way. The chat's do not count."""
        return self._mux.open_streams

    @property
    def round_trip(self) -> float | None:
        """Smoothed round-trip time in seconds, as the multiplexer sees it."""
        return self._mux.round_trip

    def path(self) -> PathInfo:
        """The link's path."""
        return self._link.path()

    def prompt(self, *, again: bool = False) -> None:
        """Ask the peer for a sign of life now; who is there answers in a round trip, with any message.

        Once, until there is an answer, unless `again`: that is for who does not wait for a lost question's repetition.
        """
        self._mux.prompt(self._now(), again=again)
        self._outflow.wake()

    def on_goaway(self, callback: Callable[[float, str], None]) -> None:
        """Call back with seconds and reason (foreign text) when the peer says that it leaves."""
        self._on_goaway = callback

    def go_away(self, seconds: float, reason: str) -> None:
        """Tell the peer that we take no new streams and leave within `seconds`."""
        self._mux.go_away(seconds, reason)
        self._outflow.wake()

    async def close(self, code: ErrorCode = ErrorCode.NO_ERROR, reason: str = "") -> None:
        """End the session and its link. Streams that are still open are reset. Idempotent."""
        self._dispatch(self._mux.close(code, reason))
        await asyncio.shield(self._link_closed)

    async def wait_closed(self) -> SessionClosed:
        """Wait for the session to end, for whatever reason, and for its link to be gone."""
        await asyncio.shield(self._link_closed)
        return self._end.result()

    async def wait_measured(self) -> None:
        """Wait until the round trip is known. Ends with the session, too."""
        await self._measured.wait()

    async def wait_idle(self) -> None:
        """Wait until no stream but the chat's is left: what was sent has been received. Ends with the session, too."""
        while self._mux.open_streams and not self._end.done():
            if self._idle is None:
                self._idle = asyncio.Event()
            await self._idle.wait()

    # Streams and datagrams

    async def open_stream(self, header: Header, priority: Priority = Priority.INTERACTIVE) -> Stream:
        """Open a stream and send its header; waits while the peer allows no more.

        Raises StreamResetError with DRAINING when the peer is leaving, LinkLostError when the session has ended.
        """
        while not self._mux.can_open():
            if self._end.done():
                raise LinkLostError("the link to the other side has ended")
            if self._mux.peer_leaving:
                raise StreamResetError(StreamCode.DRAINING, "the other side takes no new streams")
            opener = self._loop.create_future()
            self._openers.append(opener)
            try:
                await opener
            finally:
                if opener in self._openers:
                    self._openers.remove(opener)
        stream = Stream(self, self._mux.open_stream(priority))
        self._streams[stream.id] = stream
        stream.put(header.encode())
        return stream

    def send_datagram(self, stream_id: int, payload: bytes) -> None:
        """Send a datagram of an open stream; dropped when it is too big or too many wait."""
        if self._mux.send_datagram(stream_id, payload):
            self._outflow.wake()

    # For Stream

    def take(self, stream: Stream, limit: int) -> tuple[bytes, bool]:
        """Consume bytes of a stream, as far as the rate allows. After fewer than `limit`, `on_readable` follows."""
        now = self._now()
        limiter = self._receive_limiter
        allowed = limit
        if limiter is not None and self._mux.readable(stream.id):
            allowed = min(limit, limiter.available(now))
            if allowed <= 0:
                self._throttle(stream, limiter.wait(now))
                return b"", False
        data, ended = self._mux.read(stream.id, allowed, now)
        if data:
            self.bytes_received += len(data)
            self.last_active = now
            if limiter is not None:
                limiter.consume(len(data), now)
                if len(data) == allowed < limit and not ended:
                    self._throttle(stream, limiter.wait(now))
        self._outflow.wake_later()
        return data, ended

    def put(self, stream: Stream, data: bytes) -> int:
        """Queue bytes of a stream."""
        if taken := self._mux.write(stream.id, data):
            self.bytes_sent += taken
            self.last_active = self._now()
            self._outflow.wake()
        return taken

    def flush(self) -> None:
        """Send now what is to be sent, as far as the link takes it."""
        self._outflow.flush()

    def room(self, stream: Stream) -> int:
        """How many bytes `put` would take."""
        return self._mux.room(stream.id)

    def set_priority(self, stream: Stream, priority: Priority) -> None:
        """Move a stream to another class."""
        self._mux.set_priority(stream.id, priority)

    def finish(self, stream: Stream) -> None:
        """Queue the end of a stream."""
        self._mux.finish(stream.id)
        self._outflow.wake()

    def reset(self, stream: Stream, code: int) -> None:
        """Abort our half of a stream."""
        self._mux.reset(stream.id, code)
        self._outflow.wake()

    def stop(self, stream: Stream, code: int) -> None:
        """Refuse the peer's half of a stream."""
        self._mux.stop(stream.id, code)
        self._outflow.wake()

    def forget(self, stream: Stream) -> None:
        """No program holds the stream any more."""
        self._streams.pop(stream.id, None)
        self._throttled.pop(stream.id, None)

    # The link's side

    def _now(self) -> float:
        return self._loop.time()

    def _on_message(self, message: bytes) -> None:
        self._dispatch(self._mux.receive_message(message, self._now()))
        if self._mux.round_trip is not None:
            self._measured.set()
        self._outflow.wake_later()

    def _on_lost(self, reason: str) -> None:
        self._dispatch(self._mux.lose_link(reason))

    def _flushed(self) -> None:
        if events := self._mux.writable_events():
            self._dispatch(events)
        if self._idle is not None and not self._mux.open_streams:
            self._wake_idle()

    def _throttle(self, stream: Stream, seconds: float) -> None:
        self._throttled[stream.id] = stream
        if self._rate_timer is None:
            self._rate_timer = self._loop.call_later(seconds, self._on_rate)

    def _on_rate(self) -> None:
        self._rate_timer = None
        throttled, self._throttled = self._throttled, {}
        for stream in throttled.values():
            stream.on_readable()

    # Events

    def _dispatch(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case StreamReadable():
                    if (stream := self._streams.get(event.stream_id)) is not None:
                        stream.on_readable()
                case StreamWritable():
                    if (stream := self._streams.get(event.stream_id)) is not None:
                        stream.on_writable()
                case StreamReset():
                    if (stream := self._streams.get(event.stream_id)) is not None:
                        stream.on_reset(event.code)
                case StreamStopped():
                    if (stream := self._streams.get(event.stream_id)) is not None:
                        stream.on_stopped(event.code)
                case StreamOpened():
                    stream = self._streams[event.stream_id] = Stream(self, event.stream_id)
                    self._on_stream(stream)
                case DatagramReceived():
                    self._take_datagram(event)
                case _:
                    self._dispatch_session(event)

    def _take_datagram(self, event: DatagramReceived) -> None:
        if self._receive_limiter is not None:  # datagrams cannot be held back, but what follows them can
            self._receive_limiter.consume(len(event.data), self._now())
        self._on_datagram(event.stream_id, event.data)

    def _dispatch_session(self, event: HelloReceived | StreamsAvailable | GoAwayReceived | SessionClosed) -> None:
        match event:
            case HelloReceived(hello):
                self._peer.set_result(heard(hello, self._config))
            case StreamsAvailable():
                self._wake_openers()
            case GoAwayReceived():
                self._wake_openers()
                self._on_goaway(event.seconds, event.reason)
            case SessionClosed():
                self._finish(event)

    def _wake_idle(self) -> None:
        """Let those look again who wait for `wait_idle`."""
        if self._idle is not None:
            self._idle.set()
            self._idle = None

    def _wake_openers(self) -> None:
        for opener in self._openers:
            if not opener.done():
                opener.set_result(None)
        self._openers.clear()

    def _finish(self, end: SessionClosed) -> None:
        """The multiplexer is closed: say the last word, let every waiter know, free the link."""
        self._outflow.stop()
        if self._rate_timer is not None:
            self._rate_timer.cancel()
        self._end.set_result(end)
        for stream in list(self._streams.values()):
            stream.on_reset(StreamCode.CONNECTION_RESET)
            stream.on_stopped(StreamCode.CONNECTION_RESET)
        self._streams.clear()
        self._wake_idle()
        self._measured.set()
        self._wake_openers()
        self._tasks.spawn(self._close_link())

    async def _close_link(self) -> None:
        await self._link.close()  # which lets the last message leave
        self._link_closed.set_result(None)
