"""The sending end of one transfer: a state machine between a FILE stream and a disk.

Bytes of the stream go into `receive`, results of the disk into `result`; `output`, `requests` and `events` give what is
due, and are to be called after each of them until they give nothing. Reading runs ahead of the stream, across files, by
at most `read_ahead` bytes, so that small files cost no round trip, of the link or of the disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mayfly.config import FilesConfig
from mayfly.files import records as r
from mayfly.files.disk import BlockRead, CloseSource, Failed, HashPrefix, PrefixHashed, Read, SendRequest, SendResult
from mayfly.files.events import Accepted, Restarted, Resumed
from mayfly.files.fields import FilesError
from mayfly.files.progress import SentFiles
from mayfly.files.records import BLOCK, MAX_CHUNK, Buffer, Entry, EntryType, Offer, Reason
from mayfly.files.states import SENDER, Sending, Step
from mayfly.files.transfer import Transfer, end_step

_LISTED_AHEAD: Final = 256 * 1024
_READ_COST: Final = 1024
"""The least that a Read counts for in `read_ahead`, which bounds how many there are."""

_STEPS: Final[dict[type[r.Record], Step]] = {
    r.Accept: Step.ACCEPT,
    r.Decline: Step.DECLINE,
    r.Want: Step.ANSWER,
    r.Skip: Step.ANSWER,
    r.OnDisk: Step.PROGRESS,
    r.Done: Step.PROGRESS,
    r.Completed: Step.COMPLETED,
    r.Pause: Step.HOLD,
    r.Resume: Step.HOLD,
    r.Cancel: Step.CANCEL,
}


@dataclass(slots=True)
class _Cursor:
    """The file whose next bytes are to be asked for."""

    index: int
    size: int | None
    offset: int
    begun: bool = False
    waiting: bool = False
    """Its size is unknown, and a Read is under way."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A Read that is under way."""

    read: Read
    cursor: _Cursor
    first: bool

    @property
    def cost(self) -> int:
        return max(self.read.size, _READ_COST)


class Sender(Transfer[Sending, SendRequest]):
    """Offers, lists, sends, and waits for the receiver's word."""

    def __init__(self, offer: Offer, entries: Sequence[Entry], config: FilesConfig | None = None) -> None:
        """`entries` are in the order of their indices, a directory before what is in it; they are encoded lazily."""
        super().__init__(SENDER, Sending.OFFERED, _STEPS)
        self._config = config or FilesConfig()
        self._entries = entries
        self.total = offer.total
        self._listed = 0
        self._next = self._file_from(0)
        self._wants: deque[r.Want] = deque()
        self._checking: r.Want | None = None
        self._cursor: _Cursor | None = None
        self._reading: deque[_Asked] = deque()
        self._reading_bytes = 0
        self._sent = SentFiles()
        self._finished = False
        self._cancel_reason = Reason.USER
        self._outbox.control(offer)

    @property
    def on_disk(self) -> int:
        """Bytes that the receiver has verified and written, with those it had from before."""
        return self._sent.on_disk

    @property
    def has_output(self) -> bool:
        """As of every transfer; while it lists, entries are encoded by the call itself."""
        return super().has_output or self.state is Sending.LISTING

    # The stream

    def output(self) -> list[Buffer]:
        """What to write to the stream now: whole records, about half a MiB at a time."""
        if self.state is Sending.LISTING and not self.held:
            self._list()
        taken = self._outbox.take(2 * MAX_CHUNK, held=self.held)
        self._pump()
        return taken

    def link_lost(self) -> None:
        """The stream was reset, or ended before this end was over; or nothing answers our CANCEL."""
        if self.state is Sending.CANCELLING:
            self._end(end_step(self._cancel_reason), self._cancel_reason, by_us=True)
        else:
            self._end(Step.LOST, None, by_us=False)

    def cancel(self, reason: Reason = Reason.USER) -> None:
        """End it. The receiver's word is waited for: it may have everything already."""
        if not self._step(Step.OUR_CANCEL):
            return
        self._cancel_reason = reason
        self._requests.clear()
        self._outbox.drop_data()
        self._outbox.control(r.Cancel(reason))

    def _handle(self, record: r.Record) -> None:
        if isinstance(record, r.Completed) and (not self._finished or self._sent.waiting):
            raise FilesError("the receiver is complete before everything was sent")
        self._take_step(record)
        if isinstance(record, r.Accept):
            if self.state is Sending.LISTING:
                self._events.append(Accepted())
        elif isinstance(record, r.Want):
            self._wanted(record)
        elif isinstance(record, r.Skip):
            entry = self._next_file(record.index)
            self._sent.skipped(entry.size or 0)
        elif isinstance(record, r.OnDisk):
            self._sent.reached(record.index, record.offset)
        elif isinstance(record, r.Done):
            self._sent.done(record.index)
        elif isinstance(record, r.Completed):
            self._ended(None, by_us=False)
        elif isinstance(record, r.Decline):
            self._ended(record.reason, by_us=False)
        elif isinstance(record, r.Cancel):
            by_us = self.state is Sending.CANCELLING and record.reason is self._cancel_reason
            self._end(end_step(record.reason), record.reason, by_us=by_us)
        else:
            self._peer_holds(record)
        self._pump()

    def _list(self) -> None:
        """Entries, as many as fit ahead."""
        while self._listed < len(self._entries) and self._outbox.size < _LISTED_AHEAD:
            self._outbox.data(self._entries[self._listed].encode())
            self._listed += 1
        if self._listed == len(self._entries):
            self._outbox.data(r.EndOfEntries().encode())
            self._step(Step.LISTED)

    def _file_from(self, index: int) -> int | None:
        """The first file at or behind `index`."""
        for found in range(index, len(self._entries)):
            if self._entries[found].type is EntryType.FILE:
                return found
        return None

    def _next_file(self, index: int) -> Entry:
        """The file that WANT or SKIP names, which must be the next one."""
        if self._next is None or index != self._next:
            raise FilesError("the receiver asked for another file than the next")
        self._next = self._file_from(index + 1)
        return self._entries[index]

    def _wanted(self, want: r.Want) -> None:
        entry = self._next_file(want.index)
        whole = want.offset == entry.size
        if (want.offset % BLOCK and not whole) or (entry.size is not None and want.offset > entry.size):
            raise FilesError("the receiver asked for an offset that cannot be")
        self._wants.append(want)

    # The disk

    def result(self, result: SendResult) -> None:
        """What came of a request, in the order of the requests."""
        if self.over or self.state is Sending.CANCELLING:
            return
        if isinstance(result, Failed):
            self.cancel(result.reason)
        elif isinstance(result, PrefixHashed):
            self._compare(result)
        else:
            self._block(result)
        self._pump()

    def _compare(self, result: PrefixHashed) -> None:
        want, self._checking = self._checking, None
        assert want is not None, "a digest that was not asked for"  # noqa: S101 - the driver's bug
        same = result.digest == want.digest
        self._events.append((Resumed if same else Restarted)(want.index, want.offset))
        self._cursor = _Cursor(want.index, self._entries[want.index].size, want.offset if same else 0)

    def _pump(self) -> None:
        """Ask the disk for what comes next, as far as there is room; say so when that was all."""
        if self.state is not Sending.SENDING:
            return
        while self._checking is None and self._has_room():
            if self._cursor is None:
                if not self._wants:
                    break
                want = self._wants.popleft()
                if want.offset:
                    self._checking = want
                    self._requests.append(HashPrefix(want.index, want.offset))
                    break
                self._cursor = _Cursor(want.index, self._entries[want.index].size, 0)
            if self._cursor.waiting:
                break
            self._read(self._cursor)
        idle = self._cursor is None and not (self._checking or self._wants or self._reading)
        if idle and self._next is None:
            self._finished = True
            self._outbox.data(r.Finished().encode())
            self._step(Step.SENT)

    def _has_room(self) -> bool:
        """Whether to read on: neither too far ahead of the stream, nor of the receiver's disk."""
        waiting = self._reading_bytes + self._outbox.size
        unstored = self._reading_bytes + self._sent.unstored
        return waiting < self._config.read_ahead and unstored + BLOCK <= self._config.max_unstored

    def _read(self, cursor: _Cursor) -> None:
        """Ask for the rest of a block, or of the file."""
        size = BLOCK - cursor.offset % BLOCK
        if cursor.size is not None:
            size = min(size, cursor.size - cursor.offset)
        last = cursor.offset + size == cursor.size
        asked = _Asked(Read(cursor.index, cursor.offset, size, last), cursor, not cursor.begun)
        cursor.begun = True
        self._requests.append(asked.read)
        self._reading.append(asked)
        self._reading_bytes += asked.cost
        if cursor.size is None:
            cursor.waiting = True
        else:
            cursor.offset += size
            if last:
                self._cursor = None

    def _block(self, result: BlockRead) -> None:
        """Bytes of a file on their way: FILE before the first, a hash behind a whole block and behind the last."""
        asked = self._reading.popleft()
        self._reading_bytes -= asked.cost
        read, cursor, size = asked.read, asked.cursor, len(result.data)
        if cursor.size is None:
            wrong = size > read.size or not (size or result.ended)
        else:
            wrong = size != read.size or result.ended != read.last
        if wrong:
            self.cancel(Reason.SOURCE_CHANGED)
            return
        parts: list[Buffer] = []
        if asked.first:
            parts.append(r.File(read.index, read.offset).encode())
            self._sent.began(read.index, read.offset)
        view = memoryview(result.data)
        for start in range(0, size, MAX_CHUNK):
            piece = view[start : start + MAX_CHUNK]
            parts += (r.chunk_head(len(piece)), piece)
            self._outbox.data(*parts)
            parts.clear()
        self._sent.sent(size)
        end = read.offset + size
        if result.ended:
            parts.append(r.FileHash(end, result.digest).encode())
            self._sent.ended()
        elif end % BLOCK == 0:
            parts.append(r.ChunkHash(result.digest).encode())
        self._outbox.data(*parts)
        if cursor.size is None:
            cursor.waiting, cursor.offset = False, end
            if result.ended:
                self._cursor = None

    def _closing(self) -> SendRequest:
        return CloseSource()
