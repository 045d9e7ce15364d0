"""The receiving end of one transfer: a state machine between a FILE stream and a disk.

Bytes of the stream go into `receive`, results of the disk into `result`; `output`, `requests` and `events` give what is
due, and are to be called after each of them. While `wants_input` is false the stream is not to be read: the
multiplexer's credit then holds the sender back, and memory stays flat however slow the disk is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from mayfly.config import FilesConfig
from mayfly.files import records as r
from mayfly.files.block import Block
from mayfly.files.disk import (
    BlockWritten,
    CloseTarget,
    Commit,
    Committed,
    FileFinished,
    FinishFile,
    Part,
    Prepare,
    Prepared,
    ReceiveRequest,
    ReceiveResult,
    WriteBlock,
)
from mayfly.files.events import Listed, Offered, Restarted, Resumed
from mayfly.files.fields import FilesError
from mayfly.files.manifest import Manifest, RefusedError
from mayfly.files.records import BLOCK, Buffer, Reason
from mayfly.files.states import RECEIVER, Outcome, Receiving, Step
from mayfly.files.transfer import Transfer, end_step

_STEPS: Final[dict[type[r.Record], Step]] = {
    r.Offer: Step.OFFER,
    r.Entry: Step.ENTRY,
    r.EndOfEntries: Step.END_OF_ENTRIES,
    r.File: Step.DATA,
    r.Chunk: Step.DATA,
    r.ChunkHash: Step.DATA,
    r.FileHash: Step.DATA,
    r.Finished: Step.FINISHED,
    r.Pause: Step.HOLD,
    r.Resume: Step.HOLD,
    r.Cancel: Step.CANCEL,
}


@dataclass(slots=True)
class _File:
    """The file that is coming, up to the start of the block that is being gathered."""

    index: int
    offset: int
    size: int | None


class Receiver(Transfer[Receiving, ReceiveRequest]):
    """Is offered, asks, lists, and has everything verified and written."""

    def __init__(self, config: FilesConfig | None = None) -> None:
        super().__init__(RECEIVER, Receiving.WAITING, _STEPS)
        self._config = config or FilesConfig()
        self.on_disk = 0
        """Bytes verified and written, with those from before."""
        self._manifest: Manifest | None = None
        self._found = Prepared()
        self._files: deque[int] = deque()  # not asked for yet
        self._wanted: deque[r.Want] = deque()  # asked for, not begun
        self._file: _File | None = None
        self._block = Block()
        self._writing: deque[WriteBlock | FinishFile] = deque()
        self._writing_bytes = 0
        self._unfinished = 0  # files asked for and not finished
        self._finished = False

    @property
    def wants_input(self) -> bool:
        """Whether the stream is to be read."""
        return self._writing_bytes < self._config.max_unwritten

    # The stream and our program

    def output(self) -> list[Buffer]:
        """What to write to the stream now: whole records."""
        return self._outbox.take(0, held=False)

    def accept(self) -> None:
        """The user wants it. Does nothing unless it is being asked for."""
        if self._step(Step.ACCEPT):
            self._outbox.control(r.Accept())

    def decline(self, reason: Reason = Reason.USER) -> None:
        """The user does not want it. Does nothing unless it is being asked for."""
        if self._step(Step.DECLINE):
            self._outbox.control(r.Decline(reason))
            self._ended(reason, by_us=True)

    def cancel(self, reason: Reason = Reason.USER) -> None:
        """End it at once. Does nothing once everything is here and is being put in its place."""
        if self._step(Step.OUR_CANCEL):
            self._fail(reason, by_us=True)

    def link_lost(self) -> None:
        """The stream was reset, or ended early. A Commit that is under way still decides how the transfer ends."""
        self._end(Step.LOST, None, by_us=False)

    def _fail(self, reason: Reason, *, by_us: bool) -> None:
        """Our word: it ends so, on both sides."""
        self._outbox.control(r.Cancel(reason))
        self._end(end_step(reason), reason, by_us=by_us)

    def _break_off(self) -> None:
        if self.state is not Receiving.COMMITTING:
            super()._break_off()

    def _handle(self, record: r.Record) -> None:
        committing = self.state is Receiving.COMMITTING
        self._take_step(record)
        if isinstance(record, r.Chunk):
            self._chunk(record.data)
        elif isinstance(record, r.File):
            self._begin(record)
        elif isinstance(record, r.FileHash):
            self._end_file(record)
        elif isinstance(record, r.ChunkHash):
            self._end_block(record)
        elif isinstance(record, r.Finished):
            self._sent_all()
        elif isinstance(record, r.Cancel):
            if not committing:
                self._fail(record.reason, by_us=False)
        elif isinstance(record, r.Pause | r.Resume):
            self._peer_holds(record)
        else:
            self._list(record)

    def _list(self, record: r.Record) -> None:
        """OFFER, ENTRY, END_OF_ENTRIES."""
        try:
            if isinstance(record, r.Offer):
                self._manifest = Manifest(record, self._config)
                self.total = record.total
                self._events.append(Offered(record))
                return
            assert self._manifest is not None, "the table lets nothing come before OFFER"  # noqa: S101
            if isinstance(record, r.Entry):
                self._manifest.add(record)
                return
            self._manifest.finish()
        except RefusedError as error:
            self._fail(error.reason, by_us=True)
            return
        self._files.extend(self._manifest.files())
        self._events.append(Listed(self._manifest))
        self._requests.append(Prepare(self._manifest))

    def _begin(self, record: r.File) -> None:
        """FILE: the next of those that were asked for, from where we said or from its start."""
        if self._file is not None or not self._wanted:
            raise FilesError("a file begins that is not due")
        want = self._wanted.popleft()
        if record.index != want.index or record.offset not in (0, want.offset):
            raise FilesError("another file begins than the next, or at another offset")
        if want.offset:
            happened = Resumed if record.offset else Restarted
            self._events.append(happened(want.index, want.offset))
        self.on_disk += record.offset
        self._file = _File(record.index, record.offset, self._entry_size(record.index))

    def _chunk(self, data: Buffer) -> None:
        file, block = self._file, self._block
        if file is None:
            raise FilesError("a chunk of no file")
        end = file.offset + block.size + len(data)
        if end > file.offset - file.offset % BLOCK + BLOCK:
            raise FilesError("a chunk goes beyond its block")
        if file.size is not None and end > file.size:
            raise FilesError("a file is longer than it was said to be")
        block.add(data)

    def _end_block(self, record: r.ChunkHash) -> None:
        file = self._file
        if file is None or not self._block.full:
            raise FilesError("a hash in the middle of a block")
        self._write(WriteBlock(file.index, file.offset, *self._block.take(), record.digest))
        file.offset += BLOCK

    def _end_file(self, record: r.FileHash) -> None:
        file = self._file
        if file is None:
            raise FilesError("the end of no file")
        size = file.offset + self._block.size
        if record.size != size or file.size not in (None, size):
            raise FilesError("a file has not the size that it was said to have")
        self._write(FinishFile(file.index, file.offset, *self._block.take(), record.digest))
        self._file = None

    def _write(self, request: WriteBlock | FinishFile) -> None:
        self._requests.append(request)
        self._writing.append(request)
        self._writing_bytes += request.size

    def _sent_all(self) -> None:
        if self._finished or self._file is not None or self._wanted or self._files:
            raise FilesError("the sender says that it has finished, and has not")
        self._finished = True
        self._commit()

    # The disk

    def result(self, result: ReceiveResult) -> None:
        """What came of a request, in the order of the requests. Progress counts on even after the end."""
        if isinstance(result, BlockWritten | FileFinished):
            self._written(result)
        elif isinstance(result, Prepared):
            if self._step(Step.PREPARED):
                self._found = result
                self._ask()
        elif isinstance(result, Committed):
            if self._step(Step.COMMITTED):
                self._outbox.control(r.Completed())
                self._ended(None, by_us=True)
        elif not self.over:
            self._fail(result.reason, by_us=True)
        self._commit()

    def _written(self, result: BlockWritten | FileFinished) -> None:
        request = self._writing.popleft()
        self._writing_bytes -= request.size
        self.on_disk += request.size
        end = request.offset + request.size
        if isinstance(result, FileFinished):
            self._unfinished -= 1
        if self.over:
            return
        if isinstance(result, FileFinished):
            self._outbox.control(r.Done(result.index))
            self._ask()
        else:
            self._outbox.control(r.OnDisk(result.index, end))

    def _ask(self) -> None:
        """WANT or SKIP for files ahead, as many as may be unfinished."""
        while self._files and self._unfinished < self._config.files_ahead:
            index = self._files.popleft()
            size = self._entry_size(index)
            if index in self._found.whole:
                self._outbox.control(r.Skip(index))
                self.on_disk += size or 0
                continue
            part = self._found.parts.get(index)
            want = r.Want(index, part.offset, part.digest) if part and _usable(part, size) else r.Want(index)
            self._wanted.append(want)
            self._unfinished += 1
            self._outbox.control(want)

    def _commit(self) -> None:
        """Put everything in its place, once it is here."""
        if self._finished and not self._writing and self._step(Step.ALL_ON_DISK):
            self._requests.append(Commit())

    def _entry_size(self, index: int) -> int | None:
        assert self._manifest is not None, "there is no file without a manifest"  # noqa: S101
        return self._manifest.entries[index].size

    def _closing(self) -> ReceiveRequest:
        return CloseTarget(keep=self.outcome is not Outcome.CANCELLED)


def _usable(part: Part, size: int | None) -> bool:
    """Whether a file can go on from a part."""
    within = size is None or part.offset <= size
    return part.offset > 0 and within and (part.offset % BLOCK == 0 or part.offset == size)
