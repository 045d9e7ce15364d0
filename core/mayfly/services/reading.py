"""The sender's requests carried out in a thread: bytes and hashes ahead of what the stream takes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from mayfly.files.disk import BlockRead, CloseSource, Failed, HashPrefix, PrefixHashed, Read, SendRequest, SendResult
from mayfly.files.records import BLOCK
from mayfly.services import source
from mayfly.services.hashing import RunningHash
from mayfly.services.source import SourceError
from mayfly.services.threads import in_thread

_BATCH = 256
"""Requests for small files that are carried out in one go."""


class Blocks(Protocol):
    """Where the bytes come from: a `SourceReader`, or a share of a `Broadcast`. All but `interrupt` block, and are
    called one at a time."""

    def hash_prefix(self, index: int, length: int) -> RunningHash:
        """The hash of a file's first bytes; of fewer when it is shorter. Raises SourceError."""
        ...

    def read(self, index: int, size: int, before: RunningHash, *, last: bool) -> source.Read:
        """The bytes behind those of `before`. Raises SourceError."""
        ...

    def interrupt(self) -> None:
        """Make a read that waits for a pipe raise soon."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Reader:
    """Carries out the requests of one sender. `give` is called on the loop with each result."""

    def __init__(self, blocks: Blocks, give: Callable[[SendResult], None]) -> None:
        self._blocks = blocks
        self._give = give
        self._requests: deque[SendRequest] = deque()
        self._requested = asyncio.Event()
        self._running = RunningHash()
        self._closing = False
        self._failed = False
        self.error: SourceError | None = None
        """Why it failed, in words for our own user."""

    def submit(self, request: SendRequest) -> None:
        """Queue a request. On the loop; never blocks."""
        if isinstance(request, CloseSource):
            self._closing = True
            self._blocks.interrupt()
        elif not self._failed:
            self._requests.append(request)
        self._requested.set()

    async def run(self) -> None:
        """Work until CloseSource, or until it is cancelled."""
        try:
            while not self._closing:
                if not self._requests:
                    self._requested.clear()
                    await self._requested.wait()
                    continue
                for result in await in_thread(self._carry_out):
                    self._give(result)
        except asyncio.CancelledError:
            self._closing = True
            raise
        finally:
            await in_thread(self._blocks.close)

    def _carry_out(self) -> list[SendResult]:
        """The next requests, up to a block of bytes. The loop only adds at the other end meanwhile."""
        results: list[SendResult] = []
        size = 0
        try:
            while self._requests and not self._closing and size < BLOCK and len(results) < _BATCH:
                request = self._requests.popleft()
                if isinstance(request, HashPrefix):
                    results.append(self._hash_prefix(request))
                    break
                if isinstance(request, Read):
                    results.append(self._read(request))
                    size += request.size
        except SourceError as error:
            if self._closing:
                return results  # we have interrupted it ourselves
            self.error = error
            self._failed = True
            self._requests.clear()
            results.append(Failed(error.reason))
        return results

    def _hash_prefix(self, request: HashPrefix) -> PrefixHashed:
        self._running = self._blocks.hash_prefix(request.index, request.offset)
        whole = self._running.length == request.offset
        return PrefixHashed(request.index, self._running.digest() if whole else b"")

    def _read(self, request: Read) -> BlockRead:
        if request.offset == 0:
            self._running = RunningHash()
        got = self._blocks.read(request.index, request.size, self._running, last=request.last)
        self._running = got.running
        return BlockRead(request.index, got.data, got.running.digest(), got.ended)
