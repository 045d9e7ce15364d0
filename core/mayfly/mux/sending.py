"""The sending half of a session: what its applications write, and how their halves of streams end."""

from __future__ import annotations

from collections.abc import Iterable

from mayfly.config import MuxConfig
from mayfly.mux.events import Event, StreamWritable
from mayfly.mux.outbox import Outbox
from mayfly.mux.send import SendPool
from mayfly.mux.states import RECEIVE_ENDED, Send, SendStep
from mayfly.mux.stream import MuxStream


class Sending:
    """Puts into streams what there is room for, and knows who was refused some and has it again."""

    def __init__(self, config: MuxConfig, outbox: Outbox) -> None:
        self._outbox = outbox
        self.pool = SendPool(config)
        """What the buffers of all streams take from."""
        self._refused: dict[int, MuxStream] = {}
        self._roomy: dict[int, MuxStream] = {}

    def room(self, stream: MuxStream) -> int:
        """How many bytes `write` would take. After 0, `writable` has the stream when there are some."""
        room = self._room(stream)
        if not room:
            self._refused[stream.id] = stream
        return room

    def write(self, stream: MuxStream, data: bytes) -> int:
        """Queue bytes. Gives how many were taken; after fewer than offered, `writable` has the stream later.

        Raises LocalProtocolError for a half that has ended.
        """
        stream.step_send(SendStep.WRITE)
        taken = min(self._room(stream), len(data))
        if taken < len(data):
            self._refused[stream.id] = stream
        if taken > 0:
            stream.outgoing.append(data if taken == len(data) else data[:taken])
            self._schedule(stream)
        return taken

    def sent(self, streams: Iterable[MuxStream]) -> None:
        """Bytes of these have left: who was refused may have room again."""
        for stream in streams:
            if stream.id in self._refused and stream.outgoing.size <= self.pool.allowance // 2:
                self._roomy[stream.id] = self._refused.pop(stream.id)

    def writable(self) -> list[Event]:
        """Those that were refused bytes and take some again, each once."""
        if not self._roomy:
            return []
        roomy, self._roomy = self._roomy, {}
        return [StreamWritable(stream.id) for stream in roomy.values() if stream.send is Send.OPEN]

    def finish(self, stream: MuxStream, *, ours: bool) -> None:
        """End the half behind what was written. Does nothing on a half that has ended.

        On a stream of `ours` that is answered to the end, nobody waits for this: it may go with the next message. The
        opener of the peer's may wait for the end of the answer, however long ago its own half ended.
        """
        stream.step_send(SendStep.FINISH)
        if ours and stream.receive in RECEIVE_ENDED and not stream.outgoing.size:
            self._outbox.end_later(stream)
        else:
            self._schedule(stream)

    def reset(self, stream: MuxStream, code: int) -> None:
        """End the half now; what is unsent is dropped. Does nothing on a half that has ended."""
        if stream.send in (Send.OPEN, Send.FINISHING):
            stream.reset_code = code
            self._outbox.touch(stream)
        stream.step_send(SendStep.RESET)
        stream.outgoing.discard()
        self._outbox.scheduler.forget(stream)

    def stop(self, stream: MuxStream, code: int) -> bool:
        """Take a STOP_SENDING. Tells whether it ended a half that was open."""
        wanted = stream.send in (Send.OPEN, Send.FINISHING)
        self.reset(stream, code)
        return wanted

    def allow(self, stream: MuxStream, limit: int, received: int) -> None:
        """Take a MAX_STREAM_DATA: credit, and how much of the half the peer has."""
        if limit > stream.send_limit:
            stream.send_limit = limit
            self._schedule(stream)
        if stream.send is Send.FINISHED and received > stream.sent:
            stream.step_send(SendStep.DELIVERED)

    def clear(self) -> None:
        """Forget who waits."""
        self._refused.clear()
        self._roomy.clear()

    def _room(self, stream: MuxStream) -> int:
        room = self.pool.allowance - stream.outgoing.size
        return room if room > 0 else 0

    def _schedule(self, stream: MuxStream) -> None:
        if stream.wants_to_send:
            self._outbox.scheduler.add(stream)
