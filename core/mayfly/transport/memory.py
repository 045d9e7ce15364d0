"""Two ends of a link joined in one process, and an engine that makes them: the main tool of the tests.

Messages pass through two stages, as on a network: they wait in the sender's buffer until the path's bandwidth lets them
leave (`buffered_amount` counts those), then travel for `latency`. Time is the running loop's, so a loop with a virtual
clock makes it virtual.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from mayfly.config import KIB, MIB
from mayfly.sctp.endings import CLOSED
from mayfly.signaling.description import CandidateType
from mayfly.transport.base import PathInfo, above_max_message
from mayfly.transport.mailbox import Mailbox

CUT = "the link was cut"

_MAX_EARLY = 4 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPath:
    """What the way between the two ends is like, the same in both directions.

    `latency` is one-way seconds. `bandwidth` is bytes a second, None for no limit. With `reorder`, each delivery takes
    one of that many oldest messages under way, chosen by `random`; 1 keeps the order.
    """

    latency: float = 0.0
    bandwidth: float | None = None
    reorder: int = 1
    high_water: int = 256 * KIB
    max_message: int = 256 * KIB


class _Pipe:
    """One direction. A None in it is the sender's close()."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: MemoryPath, random: Random) -> None:
        self._loop = loop
        self._path = path
        self._random = random
        self._waiting: deque[bytes | None] = deque()
        self._flight: deque[tuple[float, bytes | None]] = deque()
        self._leaving: asyncio.Handle | None = None
        self._arriving: asyncio.Handle | None = None
        self.buffered = 0
        self.sent = 0
        self.silent = False
        self.deliver: Callable[[bytes | None], None] = lambda _message: None
        self.drained: Callable[[], None] = lambda: None

    def put(self, message: bytes | None) -> None:
        self._waiting.append(message)
        self.buffered += len(message or b"")
        if self._leaving is None:
            self._leaving = self._loop.call_soon(self._leave)

    def stop(self) -> None:
        for handle in (self._leaving, self._arriving):
            if handle is not None:
                handle.cancel()
        self._leaving = self._arriving = None
        self._waiting.clear()
        self._flight.clear()
        self.buffered = 0

    def _leave(self) -> None:
        self._leaving = None
        half = self._path.high_water // 2
        above = self.buffered > half
        while self._waiting:
            message = self._waiting.popleft()
            self.buffered -= len(message or b"")
            self.sent += len(message or b"")
            if not self.silent:
                self._flight.append((self._loop.time() + self._path.latency, message))
            if self._path.bandwidth is not None:
                pause = len(message or b"") / self._path.bandwidth
                self._leaving = self._loop.call_later(pause, self._leave)
                break
        if self._flight and self._arriving is None:
            self._schedule_arrival()
        if above and self.buffered <= half:
            self.drained()

    def _schedule_arrival(self) -> None:
        due = self._flight[0][0]
        if due <= self._loop.time():
            self._arriving = self._loop.call_soon(self._arrive)
        else:
            self._arriving = self._loop.call_at(due, self._arrive)

    def _arrive(self) -> None:
        self._arriving = None
        if self.silent:
            self._flight.clear()
        # What is put in by the callbacks leaves and arrives in later turns, so this ends.
        due = sum(1 for at, _message in self._flight if at <= self._loop.time())
        for _turn in range(max(due, 1)):
            if not self._flight:
                return
            self.deliver(self._take())
        if self._flight and self._arriving is None:
            self._schedule_arrival()

    def _take(self) -> bytes | None:
        at = self._random.randrange(min(self._path.reorder, len(self._flight)))
        if at and self._flight[at][1] is not None:
            # The due times stay in place, so that the head is always the next to come.
            head, other = self._flight[0], self._flight[at]
            self._flight[0], self._flight[at] = (head[0], other[1]), (other[0], head[1])
        return self._flight.popleft()[1]


class MemoryLink:
    """One end. Fulfils `base.Link`; `cut()` and `silence()` are for tests."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, path: MemoryPath, outgoing: _Pipe, incoming: _Pipe, *, offerer: bool
    ) -> None:
        self._path = path
        self._outgoing = outgoing
        self._incoming = incoming
        self._offerer = offerer
        self._mailbox = Mailbox(loop, max_early=_MAX_EARLY)
        self._received = 0
        self._other: MemoryLink | None = None
        incoming.deliver = self._on_message
        outgoing.drained = self._mailbox.writable

    def join(self, other: MemoryLink) -> None:
        """Let `cut()` reach the other end too."""
        self._other = other

    @property
    def offerer(self) -> bool:
        """Whether our end made the offer."""
        return self._offerer

    @property
    def high_water(self) -> int:
        """Bytes of buffered_amount above which nothing more should be sent."""
        return self._path.high_water

    @property
    def buffered_amount(self) -> int:
        """Bytes handed to send() that the bandwidth has not let go yet."""
        return self._outgoing.buffered

    @property
    def overruns(self) -> bool:
        """Its queue never overflows."""
        return False

    @property
    def ended(self) -> bool:
        """Whether this end knows that the link has ended."""
        return self._mailbox.ended

    def start(
        self, receive: Callable[[bytes], None], writable: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        """Begin delivery; called once."""
        self._mailbox.start(receive, writable, lost)

    def send(self, message: bytes) -> None:
        """Queue one message. Raises ValueError above max_message, which is a fault of the caller."""
        if len(message) > self._path.max_message:
            raise above_max_message(message)
        if not self._mailbox.ended:
            self._outgoing.put(message)

    def flush(self) -> None:
        """Nothing waits for the loop."""

    def path(self) -> PathInfo:
        """The path: host to host, twice the latency, and the bytes so far."""
        return PathInfo(
            CandidateType.HOST, CandidateType.HOST, 2 * self._path.latency, self._outgoing.sent, self._received
        )

    async def close(self) -> None:
        """End the link. What was sent before still arrives, then the far end's `lost` is called."""
        if self._mailbox.ended:
            self._mailbox.close()
            return
        self._mailbox.close()
        self._outgoing.drained = lambda: None
        self._incoming.stop()
        self._incoming.deliver = lambda _message: None
        self._outgoing.put(None)

    def cut(self, reason: str = CUT, *, both: bool = True) -> None:
        """Lose the link now, with all that is under way. Without `both` the other end hears nothing of it."""
        self._outgoing.stop()
        self._incoming.stop()
        self.silence()
        self._mailbox.end(reason)
        if both and self._other is not None:
            self._other._mailbox.end(reason)

    def silence(self) -> None:
        """From now on messages vanish in both directions, and nobody is told."""
        self._outgoing.silent = self._incoming.silent = True

    def _on_message(self, message: bytes | None) -> None:
        if message is None:
            self._outgoing.stop()
            self._mailbox.end(CLOSED)
            return
        self._received += len(message)
        self._mailbox.deliver(message)


def memory_links(path: MemoryPath | None = None, *, random: Random | None = None) -> tuple[MemoryLink, MemoryLink]:
    """Two joined links, the offerer's first. `random` is needed where `path.reorder` is above 1.

    Must be called on a running loop. Raises ValueError when reordering has no source of chance.
    """
    path = path or MemoryPath()
    if path.reorder > 1 and random is None:
        raise ValueError("reordering needs a seeded random")
    chance = random or Random(0)  # noqa: S311 - not a secret, and never consulted without reordering
    loop = asyncio.get_running_loop()
    there, back = _Pipe(loop, path, chance), _Pipe(loop, path, chance)
    offerer = MemoryLink(loop, path, there, back, offerer=True)
    answerer = MemoryLink(loop, path, back, there, offerer=False)
    offerer.join(answerer)
    answerer.join(offerer)
    return offerer, answerer
