"""Giving up on messages as their sender (RFC 3758 §3.5): which, and how the far end is told."""

from __future__ import annotations

from mayfly.sctp.flight import ABANDONED, Message, Sent
from mayfly.sctp.scoreboard import Scoreboard
from mayfly.sctp.wire import encode_forward_tsn


class Abandoned:
    """The point up to which the far end need not wait (Advanced.Peer.Ack.Point)."""

    __slots__ = ("_any", "_channel", "_ordered", "_point", "_sequence", "due")

    def __init__(self, channel: int, *, ordered: bool) -> None:
        self._channel = channel
        self._ordered = ordered
        self._any = False
        self._point = -1
        self._sequence: int | None = None
        self.due = False
        """Whether `forward_tsn` has something to say."""

    def gives_up(self, chunk: Sent, message: Message, now: float) -> bool:
        """Whether the message of a lost chunk has used up its transmissions or its time."""
        retransmits, expiry = message.max_retransmits, message.expiry
        over = (retransmits is not None and chunk.transmissions > retransmits) or (expiry is not None and expiry < now)
        self._any = self._any or over
        return over

    def advance(self, board: Scoreboard) -> None:
        """Move the point over what was given up, and tell the far end while it is not there itself."""
        if not self._any:
            return
        if board.acked >= self._point:
            self._point = board.acked
            self._sequence = None
        while (chunk := board.outstanding.get(self._point + 1)) is not None and chunk.state == ABANDONED:
            self._point += 1
            if self._ordered and chunk.message is not None:
                self._sequence = chunk.message.sequence
        self.due = self._point > board.acked

    def repeat(self, board: Scoreboard) -> None:
        """A timeout: the far end may not have heard of it."""
        self.due = self._point > board.acked

    def forward_tsn(self, board: Scoreboard) -> bytes:
        """The chunk to send now, or nothing."""
        if not self.due:
            return b""
        self.due = False
        streams = [] if self._sequence is None else [(self._channel, self._sequence)]
        return encode_forward_tsn(board.wire(self._point), streams)
