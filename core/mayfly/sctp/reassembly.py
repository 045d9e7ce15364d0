"""Fragments that overtook others, and ordered messages that overtook others (RFC 9260 §6.5, §6.9).

Fragments of a message have consecutive TSNs, so what is held is a set of *runs* of neighbours that belong to one
message. A fragment joins the run on its left, the run on its right, or both, in constant time; a run with a beginning
and an end is a message, and is put together once. TSNs here are unwrapped: they only grow.
"""

from __future__ import annotations

from dataclasses import dataclass

from mayfly.sctp.endings import MALFORMED, BrokenRuleError
from mayfly.sctp.wire import FIRST, LAST, SSN_MASK

_SSN_HALF = 0x8000


@dataclass(slots=True)
class Run:
    """Neighbouring fragments from `start` to `end`. `flags` joins FIRST and LAST of its ends; the rest is FIRST's."""

    start: int
    end: int
    size: int
    flags: int
    sequence: int
    protocol: int


class Reassembly:
    """Runs of fragments. `size` is the bytes that they hold."""

    __slots__ = ("_by_end", "_by_start", "_fragments", "size")

    def __init__(self) -> None:
        self._fragments: dict[int, bytes] = {}
        self._by_start: dict[int, Run] = {}  # those whose beginning is missing
        self._by_end: dict[int, Run] = {}  # those whose end is missing
        self.size = 0

    def __len__(self) -> int:
        return len(self._fragments)

    def add(self, tsn: int, flags: int, sequence: int, protocol: int, data: bytes) -> Run:
        """Hold a fragment, one that is not held yet. Gives its run; with FIRST and LAST, `take` it."""
        run = Run(tsn, tsn, len(data), flags, sequence, protocol)
        self._fragments[tsn] = data
        self.size += len(data)
        if not flags & FIRST and (left := self._by_end.pop(tsn - 1, None)) is not None:
            left.end = tsn
            left.size += run.size
            left.flags |= flags & LAST
            run = left
        if not flags & LAST and (right := self._by_start.pop(tsn + 1, None)) is not None:
            run.end = right.end
            run.size += right.size
            run.flags |= right.flags & LAST
        if not run.flags & FIRST:
            self._by_start[run.start] = run
        if not run.flags & LAST:
            self._by_end[run.end] = run
        return run

    def take(self, run: Run) -> bytes:
        """Let a run go. Its bytes, in order."""
        pop = self._fragments.pop
        self.size -= run.size
        return b"".join([pop(tsn) for tsn in range(run.start, run.end + 1)])

    def take_open(self, end: int) -> tuple[Run, list[bytes]] | None:
        """Let the run go that has its beginning and waits for what follows `end`, if all that is held is this run."""
        run = self._by_end.get(end)
        if run is None or not run.flags & FIRST or run.end - run.start + 1 != len(self._fragments):
            return None
        del self._by_end[end]
        parts = [self._fragments.pop(tsn) for tsn in range(run.start, end + 1)]
        self.size = 0
        return run, parts

    def abandon(self, tsn: int) -> None:
        """Drop every run that can no longer become a message, since nothing up to `tsn` will come any more.

        A run that reaches `tsn` from its beginning without a gap may still be continued (RFC 3758 §3.6).
        """
        beginless = [run for run in self._by_start.values() if run.start <= tsn + 1]
        endless = [run for run in self._by_end.values() if run.flags & FIRST and run.end < tsn]
        for run in beginless + endless:
            self._by_start.pop(run.start, None)
            self._by_end.pop(run.end, None)
            self.take(run)


class Order:
    """Ordered messages that wait for earlier ones (RFC 9260 §6.6). `size` is the bytes that they hold."""

    __slots__ = ("_next", "_waiting", "size")

    def __init__(self) -> None:
        self._next = 0
        self._waiting: dict[int, tuple[int, bytes]] = {}
        self.size = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, sequence: int, protocol: int, message: bytes) -> list[tuple[int, bytes]]:
        """Take in a whole message with its protocol. Gives those that may be delivered now."""
        if sequence != self._next:
            if sequence in self._waiting or (sequence - self._next) & SSN_MASK >= _SSN_HALF:
                raise BrokenRuleError(MALFORMED)
            self._waiting[sequence] = (protocol, message)
            self.size += len(message)
            return []
        self._next = (sequence + 1) & SSN_MASK
        return [(protocol, message), *self._ready()] if self._waiting else [(protocol, message)]

    def skip(self, sequence: int) -> list[tuple[int, bytes]]:
        """Nothing up to this number will come any more (RFC 3758 §3.6). Gives what was kept back by that."""
        if (sequence - self._next) & SSN_MASK >= _SSN_HALF:
            return []
        ready: list[tuple[int, bytes]] = []
        while (self._next - 1 - sequence) & SSN_MASK >= _SSN_HALF and self._waiting:
            self._release(ready)
        self._next = (sequence + 1) & SSN_MASK
        return ready + self._ready()

    def _ready(self) -> list[tuple[int, bytes]]:
        ready: list[tuple[int, bytes]] = []
        while self._next in self._waiting:
            self._release(ready)
        return ready

    def _release(self, ready: list[tuple[int, bytes]]) -> None:
        entry = self._waiting.pop(self._next, None)
        if entry is not None:
            self.size -= len(entry[1])
            ready.append(entry)
        self._next = (self._next + 1) & SSN_MASK
