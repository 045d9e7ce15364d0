"""One end of a transfer at work: the machine between its FILE stream and its disk.

Three tasks: one reads the stream, one writes it, one carries out what the machine asks of the disk. Whatever happens,
the machine is told, and what it gives is passed on at once, so that none of them waits for another but through it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from mayfly.errors import MayflyError, StreamCode, StreamResetError
from mayfly.files.events import Ended, TransferEvent
from mayfly.files.records import Buffer, Reason
from mayfly.files.states import Outcome
from mayfly.runtime.stream import Stream

LINGER = 10.0
"""Seconds for the peer to answer a CANCEL, and to end its half of the stream behind the last record."""

_READ = 256 * 1024

Tell = Callable[[TransferEvent], None]


@dataclass(frozen=True, slots=True)
class Result:
    """How a transfer ended on this side."""

    outcome: Outcome
    reason: Reason | None
    """None for COMPLETED and for a link that was lost."""
    by_us: bool
    error: MayflyError | None = None
    """What our disk said, in words for our user, if that was the reason."""
    text: str | None = None
    """What was received, if it was a text. Foreign."""


class Machine(Protocol):
    """What `files.sender.Sender` and `files.receiver.Receiver` have in common."""

    total: int | None

    @property
    def on_disk(self) -> int: ...
    @property
    def over(self) -> bool: ...
    @property
    def has_output(self) -> bool: ...
    @property
    def held(self) -> bool: ...
    def receive(self, data: bytes) -> None: ...
    def output(self) -> list[Buffer]: ...
    def events(self) -> list[TransferEvent]: ...
    def requests(self) -> list[Any]: ...
    def result(self, result: Any) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def cancel(self, reason: Reason = ...) -> None: ...
    def link_lost(self) -> None: ...


class Worker(Protocol):
    """Who carries out requests: `reading.Reader` and `writing.Writer`."""

    error: Any

    def submit(self, request: Any) -> None:
        """Queue a request."""
        ...

    async def run(self) -> None:
        """Work until the closing request has been carried out."""
        ...


class Driver:
    """Joins a machine, a stream and a worker. The stream stands behind its header."""

    def __init__(self, stream: Stream, machine: Machine, tell: Tell) -> None:
        self._stream = stream
        self._machine = machine
        self._tell = tell
        self._worker: Worker
        self._due = asyncio.Event()
        self._room = asyncio.Event()
        self._ended: Ended | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def total(self) -> int | None:
        """Bytes of all files; None while or where that is not known."""
        return self._machine.total

    @property
    def on_disk(self) -> int:
        """Bytes that the receiver has verified and on its disk, with those it had from before."""
        return self._machine.on_disk

    @property
    def held(self) -> bool:
        """Whether either side has paused it."""
        return self._machine.held

    def pause(self) -> None:
        """Let no data move until `resume`. The peer is told."""
        self._machine.pause()
        self._pump()

    def resume(self) -> None:
        """Take our pause back. The peer is told."""
        self._machine.resume()
        self._pump()

    def cancel(self, reason: Reason = Reason.USER) -> None:
        """End it: for good with USER, or so that it can go on another time with LEAVING. `run` returns soon, even if
        the peer says nothing to it."""
        self._machine.cancel(reason)
        self._pump()
        if not self._machine.over:
            self._loop.call_later(LINGER, self._lost)

    async def run(self) -> Result:
        """Transfer, to whatever end. Raises nothing for what the peer, the link or the disk do.

        When it is cancelled, the stream is reset, and what is on disk stays for another time.
        """
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read())
                group.create_task(self._worker.run())
                self._begin(group)
                self._pump()
                await self._write()
                self._stream.finish()
                await asyncio.wait([reading], timeout=LINGER)
                reading.cancel()
        finally:
            self._stream.reset(StreamCode.CANCELLED)  # what is still open
        assert self._ended is not None  # noqa: S101 - the machine is over, and says so
        ended = self._ended
        return Result(ended.outcome, ended.reason, ended.by_us, self._worker.error, self._text())

    # For the two ends

    def _begin(self, group: asyncio.TaskGroup) -> None:
        """The group in which further tasks may be begun."""

    def _text(self) -> str | None:
        return None

    def _happened(self, event: TransferEvent) -> None:
        if isinstance(event, Ended):
            self._ended = event
        self._tell(event)

    def _may_read(self) -> bool:
        return True

    def _give(self, result: Any) -> None:
        """The worker's result."""
        self._machine.result(result)
        self._pump()

    def _pump(self) -> None:
        """Pass on what the machine gives."""
        for request in self._machine.requests():
            self._worker.submit(request)
        for event in self._machine.events():
            self._happened(event)
        if self._machine.has_output:
            self._due.set()
        self._room.set()

    def _lost(self) -> None:
        self._machine.link_lost()
        self._pump()

    # The stream

    async def _read(self) -> None:
        try:
            while True:
                while not (self._machine.over or self._may_read()):
                    self._room.clear()
                    await self._room.wait()
                data = await self._stream.read(_READ)
                if not data:
                    break
                self._machine.receive(data)
                self._pump()
        except StreamResetError:
            pass
        self._lost()

    async def _write(self) -> None:
        """Until the machine is over and its last word is handed over."""
        broken = False
        while True:
            data = self._machine.output()
            self._pump()
            if data and not broken:
                try:
                    await self._stream.write(b"".join(data))
                except StreamResetError:
                    broken = True
                    self._lost()
            elif self._machine.over:
                return
            elif not data:
                self._due.clear()
                await self._due.wait()
