"""What comes in: bytes of streams held against credit, put in order, and given to the application.

All accounting of received bytes is here. `received - consumed` is what the session holds for its applications; it can
never pass the connection window, because a peer that ignores its credit is cut off.
"""

from __future__ import annotations

from mayfly.config import MuxConfig
from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.mux.events import DatagramReceived
from mayfly.mux.flow import ConnectionWindow
from mayfly.mux.liveness import Liveness
from mayfly.mux.outbox import Outbox
from mayfly.mux.states import RECEIVE_ENDED, Receive, ReceiveStep
from mayfly.mux.stream import MuxStream
from mayfly.wire.frames import MaxDataFrame


class Inbox:
    """The receiving half of a session."""

    def __init__(self, config: MuxConfig, outbox: Outbox, liveness: Liveness) -> None:
        self._config = config
        self._outbox = outbox
        self._liveness = liveness
        self._window = ConnectionWindow(config)
        self._gaps = 0

    @property
    def unread(self) -> int:
        """Bytes received and not consumed, in order or not."""
        return self._window.received - self._window.consumed

    def opened(self, stream: MuxStream) -> None:
        """A stream's window joins the connection's. The credit of its head start goes out with the first it returns."""
        head_start = self._window.head_start(self._liveness.round_trip_or_guess)
        stream.window.size += head_start
        self._window.grown += head_start
        self._window.streams_total += stream.window.size
        self._announce()

    def closed(self, stream: MuxStream) -> None:
        """A stream's window leaves the connection's."""
        self._window.streams_total -= stream.window.size
        self._window.grown -= stream.window.size - self._config.initial_stream_window

    def data(self, stream: MuxStream, offset: int, data: bytes, fin: bool) -> bool:
        """Take a STREAM frame. Tells whether the application can read more than before. Raises RemoteProtocolError."""
        if stream.receive in RECEIVE_ENDED:
            return False
        self._count(stream.check_arrival(offset + len(data), fin))
        stream.step_receive(ReceiveStep.FIN if fin else ReceiveStep.DATA)
        if stream.receive in (Receive.STOPPED, Receive.READ):
            self.discard(stream)
            self._report(stream)
            return False
        gaps = stream.incoming.gaps
        more = bool(data) and stream.incoming.insert(offset, data)
        self._gaps += stream.incoming.gaps - gaps
        if self._gaps > self._config.max_gaps:
            raise RemoteProtocolError(ErrorCode.TOO_MANY_GAPS, "the other side's bytes come in too many pieces")
        if stream.receive is Receive.SIZE_KNOWN and stream.incoming.received == stream.final_size:
            stream.step_receive(ReceiveStep.NO_GAP)
            if not stream.incoming.unread:
                self._report(stream)
            return True
        return more

    def reset(self, stream: MuxStream, final_size: int) -> bool:
        """Take a RESET_STREAM. Tells whether it ended a half that the application still wanted.

        Raises RemoteProtocolError.
        """
        if stream.receive in RECEIVE_ENDED:
            return False
        wanted = stream.receive is not Receive.STOPPED
        self._count(stream.check_arrival(final_size, fin=True))
        stream.step_receive(ReceiveStep.RESET)
        if stream.receive is not Receive.RESET:
            return False
        self.discard(stream)
        return wanted

    def datagram(self, stream: MuxStream, data: bytes) -> list[DatagramReceived]:
        """Take a DATAGRAM frame. Nobody wants one of a stream that was stopped, or refused from the start."""
        if len(data) > self._config.max_datagram:
            raise RemoteProtocolError(ErrorCode.PROTOCOL_VIOLATION, "a datagram is above our limit")
        return [] if stream.receive is Receive.STOPPED else [DatagramReceived(stream.id, data)]

    def read(self, stream: MuxStream, limit: int, now: float) -> bytes:
        """Consume up to `limit` bytes in order, and give the peer credit for them."""
        data = stream.incoming.take(limit)
        if data:
            self._window.consumed += len(data)
            round_trip = self._liveness.round_trip_or_guess
            cap = self._config.max_stream_window
            if stream.window.consume(len(data), now, round_trip, cap, self._window) and stream.receive is Receive.OPEN:
                stream.credit_due = True
                self._outbox.touch(stream)
            self._announce()
        if stream.receive is Receive.COMPLETE and not stream.incoming.unread:
            stream.step_receive(ReceiveStep.READ_ALL)
            if data:  # otherwise it was reported when the end came
                self._report(stream)
        return data

    def stop(self, stream: MuxStream) -> None:
        """Want no more of a stream."""
        end_known = stream.receive in (Receive.SIZE_KNOWN, Receive.COMPLETE)
        stream.step_receive(ReceiveStep.STOP)
        self.discard(stream)
        if end_known:
            self._report(stream)

    def discard(self, stream: MuxStream) -> None:
        """Drop what was received and count it as consumed: the connection's credit goes on."""
        self._gaps -= stream.incoming.gaps
        stream.incoming.discard()
        self._window.consumed += stream.window.highest - stream.window.consumed
        stream.window.consumed = stream.window.highest
        self._announce()

    def _report(self, stream: MuxStream) -> None:
        """Tell the sender that nothing of the stream is wanted any more, if its end is known."""
        if stream.final_size is not None:
            stream.credit_due = True
            self._outbox.touch_later(stream)

    def _count(self, further: int) -> None:
        self._window.received += further
        if self._window.received > self._window.limit:
            raise RemoteProtocolError(ErrorCode.FLOW_CONTROL_ERROR, "more came than the session's credit")

    def _announce(self) -> None:
        limit = self._window.due()
        if limit is not None:
            self._window.limit = limit
            self._outbox.limit(MaxDataFrame(limit))
