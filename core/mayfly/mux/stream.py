"""One stream: its two halves, buffers and credit. The multiplexer moves it; it knows nothing of other streams."""

from __future__ import annotations

from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.mux.events import Priority
from mayfly.mux.flow import StreamWindow
from mayfly.mux.receive import ReceiveBuffer
from mayfly.mux.send import SendBuffer, SendPool
from mayfly.mux.states import RECEIVE, RECEIVE_ENDED, SEND, SEND_ENDED, Receive, ReceiveStep, Send, SendStep, advance


class MuxStream:
    """The state of one stream on one end."""

    __slots__ = (
        "allowance",
        "backlog",
        "blocked_at",
        "credit_due",
        "final_size",
        "id",
        "incoming",
        "outgoing",
        "parked",
        "priority",
        "receive",
        "reset_code",
        "scheduled",
        "send",
        "send_limit",
        "sent",
        "stop_code",
        "window",
    )

    def __init__(self, stream_id: int, priority: Priority, pool: SendPool, send_limit: int, window: int) -> None:
        self.id = stream_id
        self.priority = priority
        # The sending half.
        self.send = Send.OPEN
        self.outgoing = SendBuffer(pool)
        self.sent = 0
        self.send_limit = send_limit
        self.blocked_at = -1
        """The limit for which STREAM_DATA_BLOCKED was said."""
        self.reset_code: int | None = None
        """A RESET_STREAM to send."""
        # The receiving half.
        self.receive = Receive.OPEN
        self.incoming = ReceiveBuffer()
        self.window = StreamWindow(window)
        self.final_size: int | None = None
        self.credit_due = False
        """A MAX_STREAM_DATA to send: more credit, or the word that all was read."""
        self.stop_code: int | None = None
        """A STOP_SENDING to send."""
        # The scheduler's.
        self.scheduled = False
        self.parked = False
        self.allowance = 0
        self.backlog = 0

    @property
    def ended(self) -> bool:
        """Both halves are over and nothing is left to tell the peer."""
        return (
            self.send in SEND_ENDED
            and self.receive in RECEIVE_ENDED
            and self.reset_code is None
            and self.stop_code is None
            and not self.credit_due
        )

    @property
    def received(self) -> int:
        """What to report as received without a gap: bytes, and one more for the end once all of them were read.

        Without that one, a report of all bytes that left before the FIN came would pass for a report of the FIN; and a
        session that closes on it would take away what its peer's application has not read yet.
        """
        complete = self.receive in (Receive.COMPLETE, Receive.READ) and not self.incoming.unread
        if complete and self.final_size is not None:
            return self.final_size + 1
        return self.incoming.received

    @property
    def wants_to_send(self) -> bool:
        """There are bytes or a FIN for the channel, credit aside."""
        return self.outgoing.size > 0 or self.send is Send.FINISHING

    @property
    def readable(self) -> bool:
        """`read` has something to give: bytes or the end."""
        return self.incoming.unread > 0 or self.receive is Receive.COMPLETE

    def step_send(self, step: SendStep) -> None:
        """Move the sending half."""
        self.send = advance(SEND, self.send, step)

    def step_receive(self, step: ReceiveStep) -> None:
        """Move the receiving half."""
        self.receive = advance(RECEIVE, self.receive, step)

    def check_arrival(self, end: int, fin: bool) -> int:
        """Hold a STREAM frame that reaches to `end` against the final size and our credit.

        Gives how much further than before the stream now reaches. Raises RemoteProtocolError.
        """
        if self.final_size is not None and (end > self.final_size or (fin and end != self.final_size)):
            raise RemoteProtocolError(ErrorCode.FINAL_SIZE_ERROR, "bytes came from behind the end of a stream")
        if fin and end < self.window.highest:
            raise RemoteProtocolError(ErrorCode.FINAL_SIZE_ERROR, "a stream ended before bytes that had come")
        if end > self.window.limit:
            raise RemoteProtocolError(ErrorCode.FLOW_CONTROL_ERROR, "more came than a stream's credit")
        if fin:
            self.final_size = end
        further = max(0, end - self.window.highest)
        self.window.highest += further
        return further
