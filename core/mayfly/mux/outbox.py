"""What is to be sent, in messages: control frames first, then datagrams, then streams as the scheduler says.

What waits here is bounded: control frames are flags, the newest few of their kind, or follow from credit that was used;
a peer cannot make a queue of them grow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import inf

from mayfly.config import MuxConfig
from mayfly.mux.liveness import Liveness
from mayfly.mux.schedule import Scheduler
from mayfly.mux.states import Send, SendStep
from mayfly.mux.stream import MuxStream
from mayfly.wire.frames import (
    STREAM_OVERHEAD,
    DataBlockedFrame,
    Frame,
    MaxDataFrame,
    MaxStreamDataFrame,
    MaxStreamsFrame,
    PingFrame,
    PongFrame,
    ResetStreamFrame,
    StopSendingFrame,
    StreamDataBlockedFrame,
    stream_frame_head,
)

_MAX_PONGS = 8
_CONTROL_ROOM = 64  # besides a reason, what the largest control frame takes
_LEAST_ROOM = STREAM_OVERHEAD + 64  # starting a STREAM frame for fewer bytes is not worth its head


class Outbox:
    """One session's unsent frames."""

    def __init__(self, config: MuxConfig, liveness: Liveness) -> None:
        self._config = config
        self._liveness = liveness
        self._control: deque[bytes] = deque()
        self._limits: dict[type[Frame], Frame] = {}
        self._pongs: deque[bytes] = deque(maxlen=_MAX_PONGS)
        self._datagrams: deque[bytes] = deque(maxlen=config.max_datagrams)
        self._datagram_lead = 0
        self._touched: dict[int, MuxStream] = {}
        self._ending: dict[int, MuxStream] = {}
        self._urgent = False
        self.due = inf
        """When to call `handle_timeout`."""
        self._blocked_at = -1
        self.scheduler = Scheduler(config.usual_message, config.interactive_bytes, config.fairness_bytes)
        self._message = config.usual_message
        self._usual_message = config.usual_message
        self._max_message = config.max_message
        self.credit = 0
        """The peer's MAX_DATA."""
        self.sent = 0
        """Bytes of all streams sent so far."""

    def control(self, frame: Frame) -> None:
        """A frame that is sent once, as soon as there is room. For the callers whose number is bounded by design."""
        self._control.append(frame.encode())

    def limit(self, frame: MaxDataFrame | MaxStreamsFrame) -> None:
        """Credit of the whole session. A newer limit takes the place of one that has not left yet."""
        self._limits[type(frame)] = frame

    def pong(self, opaque: bytes) -> None:
        """Answer a PING; one that was sent again, once. Of more than a few at once the oldest stay unanswered."""
        if opaque not in self._pongs:
            self._pongs.append(opaque)

    def ping(self, opaque: bytes) -> None:
        """Ask for a sign of life. One that waits to leave already is enough."""
        encoded = PingFrame(opaque).encode()
        if encoded not in self._control:
            self._control.append(encoded)

    def datagram(self, encoded: bytes) -> None:
        """An encoded DATAGRAM frame; the oldest gives way."""
        self._datagrams.append(encoded)

    def touch(self, stream: MuxStream) -> None:
        """The stream has a control frame to send: a reset, a stop or credit."""
        self._touched[stream.id] = stream
        self._urgent = True

    def touch_later(self, stream: MuxStream) -> None:
        """As `touch`, but what there is to send may wait a little, for another message to take it along."""
        self._touched[stream.id] = stream

    def end_later(self, stream: MuxStream) -> None:
        """The stream has a FIN to send and nothing else, which may wait a little as well."""
        self._ending[stream.id] = stream

    def allow(self, limit: int) -> None:
        """The peer's MAX_DATA rose."""
        if limit > self.credit:
            self.credit = limit
            self.scheduler.unpark()

    def handle_timeout(self, now: float) -> None:
        """What has waited long enough for another message leaves without one."""
        if now >= self.due:
            self._urgent = True
            self.due = inf

    def fit(self, max_message: int) -> None:
        """No message may be larger than this, which is what the peer takes."""
        self._max_message = min(self._max_message, max_message)
        self._usual_message = min(self._usual_message, max_message)

    @property
    def always_fits(self) -> int:
        """Bytes that fit a message at any time."""
        return self._usual_message

    def messages(self, budget: int, now: float) -> Iterator[tuple[bytes, list[MuxStream]]]:
        """Messages until `budget` bytes are passed, each with the streams whose state it moved.

        They are as large as a link with so much room is worth: half of it, between `usual_message` and `max_message`.
        """
        half = budget // 2
        if half > self._usual_message:
            self._message = half if half < self._max_message else self._max_message
        else:
            self._message = self._usual_message
        self.scheduler.quantum = self._message
        room = self._message - self._config.max_reason - _CONTROL_ROOM
        while budget > 0 and self.pressing(now):
            parts: list[bytes] = []
            moved: list[MuxStream] = []
            size = 0
            for encoded, stream in self._frames(now):
                parts.append(encoded)
                size += len(encoded)
                if stream is not None:
                    moved.append(stream)
                if size > room:
                    break
            while self._ending:
                _, ending = self._ending.popitem()
                if ending.wants_to_send:  # it was not reset meanwhile
                    self.scheduler.add(ending)
            size += self._datagram_frames(parts, size)
            size += self._stream_frames(parts, moved, size)
            if not parts:
                if self._control or self._datagrams:  # a BLOCKED frame was just added; a datagram's turn has come
                    continue
                return
            budget -= size
            self._liveness.spoke(now)
            yield b"".join(parts), moved

    def pressing(self, now: float) -> bool:
        """Whether something is to leave now. What may wait for it gets its deadline."""
        if (self._touched or self._ending) and not self._urgent:
            self.due = min(self.due, now + self._config.report_delay)
            self.handle_timeout(now)
        waiting = self.scheduler.waiting or self._urgent or self._control or self._limits
        return bool(waiting or self._pongs or self._datagrams)

    def _frames(self, now: float) -> Iterator[tuple[bytes, MuxStream | None]]:
        """Control frames, each small. What is taken from the iterator is sent."""
        if self.scheduler.waiting and self._liveness.sample_due(now):
            yield PingFrame(self._liveness.ping(now)).encode(), None
        restraint = self._liveness.restraint
        if restraint is not None and self.scheduler.waiting:
            if restraint.due(self.sent):
                yield PingFrame(restraint.ping(self.sent, now)).encode(), None
            elif opaque := restraint.overdue(self.sent, now):
                yield PingFrame(opaque).encode(), None
        while self._pongs:
            yield PongFrame(self._pongs.popleft()).encode(), None
        while self._control:
            yield self._control.popleft(), None
        while self._limits:
            yield self._limits.popitem()[1].encode(), None
        while self._touched:
            stream = next(iter(self._touched.values()))
            if stream.reset_code is not None:
                code, stream.reset_code = stream.reset_code, None
                yield ResetStreamFrame(stream.id, code, stream.sent).encode(), stream
            elif stream.stop_code is not None:
                code, stream.stop_code = stream.stop_code, None
                yield StopSendingFrame(stream.id, code).encode(), stream
            elif stream.credit_due:
                stream.credit_due = False
                frame = MaxStreamDataFrame(stream.id, stream.window.renew(), stream.received)
                yield frame.encode(), stream
            else:
                del self._touched[stream.id]
        self._urgent = False
        self.due = inf

    def _datagram_frames(self, parts: list[bytes], size: int) -> int:
        """Datagrams first, but never far ahead of streams that wait: a flood of them takes half of what there is."""
        added = 0
        while self._datagrams and size + added + len(self._datagrams[0]) <= self._message:
            if self._datagram_lead >= self._message:
                break
            encoded = self._datagrams.popleft()
            parts.append(encoded)
            added += len(encoded)
            self._datagram_lead += len(encoded)
        return added

    def _stream_frames(self, parts: list[bytes], moved: list[MuxStream], size: int) -> int:
        added = 0
        restraint = self._liveness.restraint
        while (room := self._message - size - added - STREAM_OVERHEAD) > _LEAST_ROOM:
            stream = self.scheduler.next() if self.scheduler.waiting else None
            if stream is None or (restraint is not None and restraint.full(self.sent)):
                self._datagram_lead = 0  # no stream can go before them
                break
            if stream.outgoing.size and self.sent >= self.credit:
                if self._blocked_at != self.credit:
                    self._blocked_at = self.credit
                    self.control(DataBlockedFrame(self.credit))
                self.scheduler.park(stream)
                continue
            if stream.outgoing.size and stream.sent >= stream.send_limit:
                if stream.blocked_at != stream.send_limit:
                    stream.blocked_at = stream.send_limit
                    self.control(StreamDataBlockedFrame(stream.id, stream.send_limit))
                self.scheduler.drop(stream)
                continue
            limit = min(room, stream.allowance, stream.send_limit - stream.sent, self.credit - self.sent)
            data = stream.outgoing.take(limit)
            fin = stream.send is Send.FINISHING and not stream.outgoing.size
            taken = len(data)
            head = stream_frame_head(stream.id, stream.sent, taken, fin)
            parts.append(head)
            parts.append(data)
            added += len(head) + taken
            stream.sent += taken
            self.sent += taken
            self._datagram_lead = max(0, self._datagram_lead - len(head) - taken)
            if fin:
                stream.step_send(SendStep.FIN_SENT)
            self.scheduler.served(stream, taken)
            moved.append(stream)
        return added
