"""The receiver's requests carried out in threads: one verifies and writes, another waits for the disk behind it.

Results come in the order of the requests, each only when its bytes are on the disk, and while one wait lasts, more is
written: the next wait is then for all of that together. Large files are finished before the next one is begun, so that
the journal always speaks of the file that would be lost.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeGuard

from mayfly.files.disk import (
    BlockWritten,
    CloseTarget,
    Commit,
    Committed,
    Failed,
    FileFinished,
    FinishFile,
    Part,
    Prepare,
    Prepared,
    ReceiveRequest,
    ReceiveResult,
    WriteBlock,
)
from mayfly.files.manifest import Manifest
from mayfly.files.records import BLOCK, Buffer, Reason
from mayfly.services.hashing import RunningHash
from mayfly.services.sinks import Sink, StorageError
from mayfly.services.threads import in_thread

_BATCH = 512 * 1024
"""Bytes of small files that are written before the next ones are looked at: about what a killed process loses."""
_BATCH_FILES = 256


@dataclass(frozen=True, slots=True)
class _Step:
    """What was written and has to be waited for, or why it was not."""

    request: WriteBlock | FinishFile
    error: StorageError | None = None


class Writer:
    """Carries out the requests of one receiver. `give` is called on the loop with each result."""

    def __init__(self, make: Callable[[Manifest], Sink], give: Callable[[ReceiveResult], None]) -> None:
        self._make = make
        self._give = give
        self._requests: deque[ReceiveRequest] = deque()
        self._steps: deque[_Step] = deque()
        self._requested = asyncio.Event()
        self._written = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._running = RunningHash()
        self._running_index = -1
        self._block = memoryview(bytearray(BLOCK))
        self._sink: Sink | None = None
        self._failed = False
        self.error: StorageError | None = None
        """Why it failed, in words for our own user."""

    def submit(self, request: ReceiveRequest) -> None:
        """Queue a request. On the loop; never blocks."""
        self._requests.append(request)
        self._requested.set()

    async def run(self) -> None:
        """Work until CloseTarget has been carried out. When it is cancelled, parts are kept."""
        keep = True
        settling = asyncio.get_running_loop().create_task(self._settle_all())
        try:
            keep = await self._write_all()
        finally:
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)
            await in_thread(self._close, keep)

    # Writing

    async def _write_all(self) -> bool:
        while True:
            while not self._requests:
                self._requested.clear()
                await self._requested.wait()
            closing = self._requests[-1]
            if isinstance(closing, CloseTarget) and (self._failed or not closing.keep or len(self._requests) == 1):
                await self._settled.wait()
                return closing.keep
            request = self._requests.popleft()
            if self._failed or isinstance(request, CloseTarget):
                continue
            if isinstance(request, Prepare | Commit):
                await self._settled.wait()
                await self._at_once(request)
            elif self._is_small(request):
                await self._write([request, *self._more_small(request.size)])
            else:
                await self._write([request])
                if isinstance(request, FinishFile):
                    await self._settled.wait()

    async def _at_once(self, request: Prepare | Commit) -> None:
        if self._failed:
            return
        try:
            if isinstance(request, Commit):
                await in_thread(self._there().publish)
                self._give(Committed())
            else:
                self._give(await in_thread(self._prepare, request.manifest))
        except StorageError as error:
            self._fail(error)

    def _is_small(self, request: ReceiveRequest) -> TypeGuard[FinishFile]:
        return isinstance(request, FinishFile) and request.offset == 0 and self._there().batches

    def _more_small(self, size: int) -> Iterator[FinishFile]:
        """Small files that wait behind one of this size, up to a batch."""
        count = 1
        while self._requests and count < _BATCH_FILES and self._is_small(request := self._requests[0]):
            if (size := size + request.size) > _BATCH:
                return
            self._requests.popleft()
            count += 1
            yield request

    async def _write(self, requests: list[WriteBlock | FinishFile]) -> None:
        steps = await in_thread(self._write_each, requests)
        self._settled.clear()
        self._steps += steps
        self._written.set()

    def _write_each(self, requests: list[WriteBlock | FinishFile]) -> list[_Step]:
        steps: list[_Step] = []
        sink = self._there()
        for request in requests:
            try:
                # One piece: each call below lets go of the interpreter, and may wait long until it has it back.
                data = self._joined(request.data)
                self._verify(request, data)
                if self._is_small(request):
                    sink.write_small(request.index, data)
                else:
                    sink.write(request.index, request.offset, data)
                steps.append(_Step(request))
            except StorageError as error:
                steps.append(_Step(request, error))
                break
        return steps

    def _joined(self, pieces: Sequence[Buffer]) -> Buffer:
        """All pieces as one, in the same memory each time: fresh memory for each block costs more than its hash."""
        if len(pieces) == 1:
            return pieces[0]
        end = 0
        for piece in pieces:
            self._block[end : end + len(piece)] = piece
            end += len(piece)
        return self._block[:end]

    def _verify(self, request: WriteBlock | FinishFile, data: Buffer) -> None:
        """Raises StorageError unless the file up to the end of these bytes is the sender's."""
        small = self._is_small(request)
        if request.offset == 0 and not small:
            self._running, self._running_index = RunningHash(), request.index
        running = RunningHash() if small else self._running
        if running.length != request.offset or not (small or self._running_index == request.index):
            raise StorageError(Reason.DISK_FAILED, "the part is not where the transfer goes on")
        running.add(data)
        if running.digest() != request.digest:
            raise StorageError(Reason.WRONG_HASH, "what arrived is not what was sent", "Receive it again.")

    def _prepare(self, manifest: Manifest) -> Prepared:
        self._sink = sink = self._make(manifest)
        sink.open()
        index, length = sink.part
        if not length:
            return Prepared(sink.whole)
        sink.hash_part(self._running.add)
        self._running_index = index
        return Prepared(sink.whole, {index: Part(length, self._running.digest())})

    # Waiting for the disk

    async def _settle_all(self) -> None:
        while True:
            while not self._steps:
                self._settled.set()
                self._written.clear()
                await self._written.wait()
            steps = list(self._steps)
            self._steps.clear()
            error = next((step.error for step in steps if step.error is not None), None)
            good = [step.request for step in steps if step.error is None]
            try:
                await in_thread(self._settle, good)
            except StorageError as broken:
                self._fail(broken)
                continue
            for request in good:
                done = BlockWritten(request.index) if isinstance(request, WriteBlock) else FileFinished(request.index)
                self._give(done)
            if error is not None:
                self._fail(error)

    def _settle(self, requests: list[WriteBlock | FinishFile]) -> None:
        """One wait for all of the same kind that stand together."""
        sink = self._there()
        for small, group in groupby(requests, self._is_small):
            together = list(group)
            if small:
                sink.place_small([request.index for request in together])
                continue
            last = together[-1]  # large files never stand together: the next begins when the last is settled
            if isinstance(last, FinishFile):
                sink.finish(last.index)
            else:
                sink.sync(last.index, last.offset + last.size)

    # Ending

    def _there(self) -> Sink:
        assert self._sink is not None  # noqa: S101 - the receiver prepares first
        return self._sink

    def _fail(self, error: StorageError) -> None:
        if not self._failed:
            self._failed = True
            self.error = error
            self._give(Failed(error.reason))

    def _close(self, keep: bool) -> None:
        if self._sink is None:
            return
        try:
            if keep:
                self._sink.close()
            else:
                self._sink.discard()
        except StorageError as error:
            self.error = self.error or error
