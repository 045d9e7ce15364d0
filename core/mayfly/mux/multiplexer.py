"""The multiplexer, as core/PROTOCOL.md defines it. No I/O, no clock, no randomness.

How to drive it: give every message from the channel to `receive_message` and act on the events; whenever something may
have changed, send what `messages_to_send` gives within the budget that the channel has left; call `handle_timeout` when
`next_timeout` has come. Between the two ends nothing else is shared.

A peer that breaks the protocol gets a SessionClosed event on our side and a CONNECTION_CLOSE on its own; what our own
application asks wrongly raises LocalProtocolError and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, LocalProtocolError, RemoteProtocolError, StreamCode
from mayfly.mux.events import (
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
)
from mayfly.mux.greeting import Greeting
from mayfly.mux.inbox import Inbox
from mayfly.mux.liveness import Liveness
from mayfly.mux.outbox import Outbox
from mayfly.mux.restraint import Restraint
from mayfly.mux.sending import Sending
from mayfly.mux.states import RECEIVE_ENDED, Receive
from mayfly.mux.stream import MuxStream
from mayfly.mux.table import StreamTable
from mayfly.wire import frames
from mayfly.wire.frames import Frame, OfStream, decode_message
from mayfly.wire.hello import Hello

_DATAGRAM_OVERHEAD = 16
_MAX_GOAWAYS = 8  # that are told: people read them, and a peer may send thousands a second


class Multiplexer:
    """One end of a session. The driver draws `hello_size` at random; `restrained` is for links that overrun."""

    def __init__(
        self, config: MuxConfig, hello: Hello, *, offerer: bool, hello_size: int, now: float, restrained: bool = False
    ) -> None:
        self._config = config
        self._greeting = Greeting(config, hello, hello_size, now)
        self._liveness = Liveness(config, now, Restraint() if restrained else None)
        self._streams = StreamTable(config, offerer=offerer)
        self._outbox = Outbox(config, self._liveness)
        self._inbox = Inbox(config, self._outbox, self._liveness)
        self._sending = Sending(config, self._outbox)
        self._leaving = False
        self._peer_leaving = False
        self._goaways = 0
        self._last_message: bytes | None = None
        self.peer: Hello | None = None
        """The peer's HELLO, once it has come."""
        self._closed: SessionClosed | None = None

    # What the driver may ask

    @property
    def closed(self) -> SessionClosed | None:
        """How the session ended, once it has."""
        return self._closed

    @property
    def open_streams(self) -> int:
        """Streams of both sides, but for the chat's, that have not ended or whose end the peer has not reported."""
        return self._streams.busy

    @property
    def round_trip(self) -> float | None:
        """Smoothed round-trip time in seconds, queues of the channel included."""
        return self._liveness.round_trip

    @property
    def unread(self) -> int:
        """Bytes received and not consumed, in order or not. Never above MuxConfig.max_connection_window."""
        return self._inbox.unread

    @property
    def peer_leaving(self) -> bool:
        """Whether the peer has said GOAWAY."""
        return self._peer_leaving

    def can_open(self) -> bool:
        """Whether open_stream would succeed now."""
        return self._closed is None and self.peer is not None and not self._peer_leaving and self._streams.can_open

    def readable(self, stream_id: int) -> bool:
        """Whether `read` has bytes or the end to give."""
        stream = self._streams.get(stream_id)
        return stream is not None and stream.readable

    def next_timeout(self) -> float | None:
        """When handle_timeout is due, on the caller's clock; None once closed."""
        if self._closed is not None:
            return None
        if self.peer is None:
            return self._greeting.deadline
        due, waiting = self._liveness.next_timeout(), self._outbox.due
        return due if due < waiting else waiting

    def handle_timeout(self, now: float) -> list[Event]:
        """Ask a silent peer for a sign of life, and notice a dead one."""
        if self._closed is not None:
            return []
        if self.peer is None:
            if now < self._greeting.deadline:
                return []
            return self._end(Side.LINK, ErrorCode.LIVENESS_TIMEOUT, "the other side said nothing after connecting")
        self._outbox.handle_timeout(now)
        if self._liveness.silent(now):
            self.prompt(now, again=True)
        if self._liveness.dead(now):
            return self._end(Side.LINK, ErrorCode.LIVENESS_TIMEOUT, "the other side has stopped answering")
        return []

    def prompt(self, now: float, *, again: bool = False) -> None:
        """Ask the peer for a sign of life: who is there answers in a round trip. Only once, unless `again`."""
        if self._closed is None and self.peer is not None and (again or not self._liveness.asking):
            self._outbox.ping(self._liveness.ping_again(now))

    # Messages

    def receive_message(self, message: bytes, now: float) -> list[Event]:
        """Take one data channel message. Errors of the peer become a SessionClosed event."""
        if self._closed is not None:
            return []
        events: list[Event] = []
        self._liveness.heard(now)
        try:
            if len(message) > self._config.max_receive_message:
                raise RemoteProtocolError(ErrorCode.MESSAGE_TOO_BIG, "the other side sent a message above our limit")
            if self.peer is None and self._greeting.keep_early(message):
                return []
            for frame in decode_message(message):
                self._receive_frame(frame, events, now)
                if self.closed is not None:
                    break
        except RemoteProtocolError as error:
            events += self._end(Side.US, error.code, error.message)
        return events

    def pressing(self, now: float) -> bool:
        """Whether `messages_to_send` may have something to give that does not wait for `next_timeout`.

        Ask it before that: what does wait gets its deadline here.
        """
        return self._closed is not None or self.peer is None or self._outbox.pressing(now)

    def messages_to_send(self, budget: int, now: float) -> list[bytes]:
        """The next messages, until `budget` bytes are passed. They must be handed to the channel."""
        if self._last_message is not None:
            last, self._last_message = self._last_message, None
            return [last]
        if self._closed is not None:
            return []
        sent: list[bytes] = []
        hello = self._greeting.take_ours()
        if hello is not None:
            sent.append(hello)
            budget -= len(hello)
        if self.peer is None:
            return sent
        for message, moved in self._outbox.messages(budget, now):
            sent.append(message)
            self._sending.sent(moved)
            self._retire(moved)
        return sent

    def writable_events(self) -> list[Event]:
        """What our own sending made possible: writes that were refused, streams. Ask after messages_to_send."""
        writable: list[Event] = self._sending.writable()
        if self._streams.has_room_again():
            writable.append(StreamsAvailable())
        return writable

    # Streams

    def open_stream(self, priority: Priority) -> int:
        """Open a stream. Raises LocalProtocolError unless can_open()."""
        if self._closed is not None or self.peer is None or self._peer_leaving:
            raise LocalProtocolError(ErrorCode.STREAM_LIMIT_ERROR, "the session takes no new streams")
        return self._add_stream(self._streams.next_id(), priority).id

    def set_priority(self, stream_id: int, priority: Priority) -> None:
        """Move a stream to another class, from its next turn on."""
        self._streams.set_priority(stream_id, priority)

    def write(self, stream_id: int, data: bytes) -> int:
        """Queue bytes. Gives how many were taken; after fewer than offered, StreamWritable tells when to go on."""
        return self._sending.write(self._streams.require(stream_id), data)

    def room(self, stream_id: int) -> int:
        """How many bytes `write` would take. After 0, StreamWritable tells when to ask again."""
        return self._sending.room(self._streams.require(stream_id))

    def finish(self, stream_id: int) -> None:
        """End our half behind what was written. Does nothing on a half that has ended, or on a stream that is gone."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            self._sending.finish(stream, ours=self._streams.is_ours(stream_id))

    def reset(self, stream_id: int, code: int) -> None:
        """End our half now; what is unsent is dropped. Does nothing on a half that has ended."""
        stream = self._streams.get(stream_id)
        if stream is not None:
            self._sending.reset(stream, code)
            self._retire([stream])

    def stop(self, stream_id: int, code: int) -> None:
        """Ask the peer to end its half; what it still sends is dropped. Does nothing on a half that has ended."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        if stream.receive is Receive.OPEN:
            stream.stop_code = code
            self._outbox.touch(stream)
        self._inbox.stop(stream)
        self._retire([stream])

    def read(self, stream_id: int, limit: int, now: float) -> tuple[bytes, bool]:
        """Consume up to `limit` bytes, and tell whether the end is reached. Credit goes back to the peer for them."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return b"", True
        data = self._inbox.read(stream, limit, now)
        ended = stream.receive in RECEIVE_ENDED
        self._retire([stream])
        return data, ended

    def send_datagram(self, stream_id: int, data: bytes) -> bool:
        """Queue a datagram of an open stream. False when it is too big; the oldest gives way when too many wait."""
        if self.peer is None or self._streams.get(stream_id) is None:
            return False
        if len(data) > min(self.peer.max_datagram, self._outbox.always_fits - _DATAGRAM_OVERHEAD):
            return False
        self._outbox.datagram(frames.DatagramFrame(stream_id, data).encode())
        return True

    # The session's end

    def go_away(self, seconds: float, reason: str) -> None:
        """Take no new streams from the peer, and tell it that we leave within `seconds`."""
        if self._closed is None:
            self._leaving = True
            text = reason.encode()[: self._config.max_reason]
            self._outbox.control(frames.GoAwayFrame(max(0, int(seconds * 1000)), text))

    def close(self, code: ErrorCode, reason: str) -> list[Event]:
        """End the session now. One last message tells the peer."""
        return [] if self._closed is not None else self._end(Side.US, code, reason)

    def lose_link(self, reason: str) -> list[Event]:
        """The channel is gone; nothing can be sent any more."""
        return [] if self._closed is not None else self._end(Side.LINK, ErrorCode.NO_ERROR, reason)

    # Frames

    def _receive_frame(self, frame: Frame, events: list[Event], now: float) -> None:
        match frame:
            case (
                frames.StreamFrame()
                | frames.MaxStreamDataFrame()
                | frames.ResetStreamFrame()
                | frames.StopSendingFrame()
                | frames.StreamDataBlockedFrame()
                | frames.DatagramFrame()
            ):
                stream = self._stream_of(frame.stream_id, events)
                if stream is not None:
                    self._receive_stream_frame(stream, frame, events)
            case frames.MaxDataFrame():
                self._outbox.allow(frame.limit)
            case frames.MaxStreamsFrame():
                if frame.limit > self._streams.our_limit:
                    self._streams.our_limit = frame.limit
                    events.append(StreamsAvailable())
            case frames.PingFrame():
                self._outbox.pong(frame.opaque)
            case frames.PongFrame():
                self._liveness.pong(frame.opaque, now)
            case frames.GoAwayFrame():
                self._peer_leaving = True
                if self._goaways < _MAX_GOAWAYS:
                    self._goaways += 1
                    seconds = min(frame.milliseconds / 1000, self._config.max_span)
                    events.append(GoAwayReceived(seconds, self._words(frame.reason)))
            case frames.ConnectionCloseFrame():
                events += self._end(Side.PEER, frame.code, self._words(frame.reason))
            case frames.HelloFrame():
                self._receive_hello(frame, events, now)
            case frames.DataBlockedFrame() | frames.StreamsBlockedFrame():
                pass  # for people who debug; credit follows consumption and nothing else

    def _receive_stream_frame(self, stream: MuxStream, frame: OfStream, events: list[Event]) -> None:
        match frame:
            case frames.StreamFrame():
                if self._inbox.data(stream, frame.offset, frame.data, frame.fin):
                    events.append(StreamReadable(stream.id))
            case frames.MaxStreamDataFrame():
                self._sending.allow(stream, frame.limit, frame.received)
            case frames.ResetStreamFrame():
                if self._inbox.reset(stream, frame.final_size):
                    events.append(StreamReset(stream.id, frame.code))
            case frames.StopSendingFrame():
                if self._sending.stop(stream, frame.code):
                    events.append(StreamStopped(stream.id, frame.code))
            case frames.DatagramFrame():
                events += self._inbox.datagram(stream, frame.data)
            case frames.StreamDataBlockedFrame():
                pass
        self._retire([stream])

    def _receive_hello(self, frame: frames.HelloFrame, events: list[Event], now: float) -> None:
        self.peer, early = self._greeting.receive(frame)
        self._streams.our_limit = self.peer.max_streams
        self._outbox.fit(self.peer.max_message)
        self._outbox.allow(self.peer.max_data)
        self._outbox.control(frames.PingFrame(self._liveness.ping(now)))  # the first sample of the round trip
        events.append(HelloReceived(self.peer))
        for message in early:
            for late in decode_message(message):
                self._receive_frame(late, events, now)
                if self.closed is not None:
                    return

    # Bookkeeping

    def _stream_of(self, stream_id: int, events: list[Event]) -> MuxStream | None:
        """The stream a frame speaks of, opened if it is new; None when it has ended."""
        stream = self._streams.get(stream_id)
        if stream is not None or not self._streams.must_open(stream_id):
            return stream
        stream = self._add_stream(stream_id, Priority.INTERACTIVE)
        if self._leaving:
            self._sending.reset(stream, StreamCode.DRAINING)
            self.stop(stream_id, StreamCode.DRAINING)
        else:
            events.append(StreamOpened(stream_id))
        return stream

    def _add_stream(self, stream_id: int, priority: Priority) -> MuxStream:
        send_limit = 0 if self.peer is None else self.peer.max_stream_data
        stream = MuxStream(stream_id, priority, self._sending.pool, send_limit, self._config.initial_stream_window)
        self._streams.add(stream)
        self._inbox.opened(stream)
        return stream

    def _retire(self, streams: Iterable[MuxStream]) -> None:
        """Let go of those that have ended. Their numbers go back to the peer as stream credit."""
        for stream in streams:
            if stream.ended and self._streams.get(stream.id) is stream:
                self._streams.remove(stream)
                self._inbox.closed(stream)
                limit = self._streams.due_limit()
                if limit is not None:
                    self._streams.peer_limit = limit
                    self._outbox.limit(frames.MaxStreamsFrame(limit))

    def _words(self, reason: bytes) -> str:
        return reason[: self._config.max_reason].decode(errors="replace")

    def _end(self, by: Side, code: int, reason: str) -> list[Event]:
        self._closed = SessionClosed(by, code, reason)
        if by is Side.US:
            text = reason.encode()[: self._config.max_reason]
            self._last_message = frames.ConnectionCloseFrame(code, text).encode()
        for part in (self._greeting, self._streams, self._sending, self._outbox.scheduler):
            part.clear()
        return [self._closed]
