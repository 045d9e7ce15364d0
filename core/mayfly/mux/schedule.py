"""Whose bytes go next: classes in order, streams within a class round-robin by bytes.

A stream of the interactive class that keeps its queue full counts as bulk until it runs empty, so that one download
does not delay another's keystroke. A lower class that was passed over for `fairness_bytes` gets one turn: none starves.
"""

from __future__ import annotations

from collections import deque

from mayfly.mux.events import Priority
from mayfly.mux.stream import MuxStream
from mayfly.wire.frames import STREAM_OVERHEAD


class Scheduler:
    """The streams that have something to send and credit to send it."""

    __slots__ = (
        "_fairness",
        "_interactive_bytes",
        "_parked",
        "_queues",
        "_served_from",
        "_waited",
        "quantum",
        "waiting",
    )

    def __init__(self, quantum: int, interactive_bytes: int, fairness_bytes: int) -> None:
        self.quantum = quantum
        """Bytes of a turn, for those that begin from now on."""
        self.waiting = 0
        """Streams that `next` has to give. An attribute because it is asked for with every message."""
        self._interactive_bytes = interactive_bytes
        self._fairness = fairness_bytes
        self._queues: tuple[deque[MuxStream], ...] = tuple(deque() for _ in Priority)
        self._waited = [0 for _ in Priority]
        self._served_from = 0
        self._parked: dict[int, MuxStream] = {}

    def add(self, stream: MuxStream) -> None:
        """The stream has something to send. Adding it twice changes nothing."""
        if stream.scheduled or stream.parked:
            return
        stream.scheduled = True
        self.waiting += 1
        stream.allowance = 0
        self._queues[self._class_of(stream)].append(stream)

    def next(self) -> MuxStream | None:
        """The stream to serve now, or None. It stays first until `served`, `drop` or `park` is called for it."""
        chosen: int | None = None
        for number, queue in enumerate(self._queues):
            while queue and not queue[0].scheduled:
                queue.popleft()  # it was forgotten
            if queue:
                if self._waited[number] >= self._fairness:
                    chosen = number
                    break
                if chosen is None:
                    chosen = number
        if chosen is None:
            return None
        self._served_from = chosen
        stream = self._queues[chosen][0]
        if not stream.allowance:
            stream.allowance = self.quantum
        return stream

    def served(self, stream: MuxStream, size: int) -> None:
        """`size` bytes of the stream that `next` gave were sent, and it may have more."""
        self._count(size)
        stream.allowance -= size
        stream.backlog += size
        if not stream.wants_to_send:
            stream.backlog = 0
            self._leave(stream)
        elif stream.allowance < self.quantum // 16:  # a shorter rest of a turn is not worth a frame
            self._leave(stream)
            self.add(stream)

    def drop(self, stream: MuxStream) -> None:
        """The stream that `next` gave cannot go on now; `add` brings it back."""
        self._leave(stream)

    def park(self, stream: MuxStream) -> None:
        """The stream that `next` gave waits for the connection's credit; `unpark` brings all of them back."""
        self._leave(stream)
        stream.parked = True
        self._parked[stream.id] = stream

    def unpark(self) -> None:
        """The connection has credit again."""
        parked, self._parked = self._parked, {}
        for stream in parked.values():
            stream.parked = False
            if stream.wants_to_send:
                self.add(stream)

    def forget(self, stream: MuxStream) -> None:
        """The stream has nothing more to send, wherever it stands."""
        self._unschedule(stream)
        stream.parked = False
        self._parked.pop(stream.id, None)
        if not self.waiting:  # or those that were forgotten would stay until something is sent
            self._empty()

    def clear(self) -> None:
        """Forget all streams."""
        for queue in self._queues:
            for stream in queue:
                self._unschedule(stream)
        self._empty()
        self._parked.clear()

    def _class_of(self, stream: MuxStream) -> Priority:
        if stream.priority is Priority.INTERACTIVE and stream.backlog >= self._interactive_bytes:
            return Priority.BULK
        return stream.priority

    def _leave(self, stream: MuxStream) -> None:
        queue = self._queues[self._served_from]
        if queue and queue[0] is stream:
            queue.popleft()
        self._unschedule(stream)

    def _unschedule(self, stream: MuxStream) -> None:
        if stream.scheduled:
            stream.scheduled = False
            self.waiting -= 1

    def _empty(self) -> None:
        for queue in self._queues:
            queue.clear()

    def _count(self, size: int) -> None:
        for number in range(self._served_from + 1, len(self._queues)):
            if self._queues[number]:
                self._waited[number] += size
        # Whatever the sizes of frames are, a turn that was waited for is worth a quantum.
        paid = (size + STREAM_OVERHEAD) * self._fairness // self.quantum
        self._waited[self._served_from] = max(0, self._waited[self._served_from] - paid)
