"""Receiving what a peer offers over one FILE stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from mayfly.config import FilesConfig
from mayfly.files.events import Ended, Offered, TransferEvent
from mayfly.files.manifest import Manifest
from mayfly.files.names import UnsafeNameError, safe_name
from mayfly.files.receiver import Receiver
from mayfly.files.records import Kind, Offer, Reason
from mayfly.runtime.stream import Stream
from mayfly.services.driving import Driver, Tell
from mayfly.services.sinks import Output, Sink, Text
from mayfly.services.storage import Plan, Storage
from mayfly.services.writing import Writer


@dataclass(frozen=True, slots=True)
class Into:
    """Where an accepted transfer goes. A text goes to `Result.text`, whatever this says."""

    folder: Path
    overwrite: bool = False
    """Whether files that stand there may be replaced; folders are joined then."""
    durable: bool = True
    """Whether to wait for the disk, so that a power cut loses nothing of what was reported."""
    descriptor: int | None = None
    """Where the bytes of the only file go instead, for example standard output."""


Ask = Callable[[Offer], Awaitable[Into | Reason]]
"""Asks the user: where to, or why not. The offer's name is foreign text, and names no path."""


class Receiving(Driver):
    """One transfer from one sender, over a stream of the peer's that stands behind its header and answer.

    `tell` hears every event of the machine: Offered, Listed (what was renamed or left out), Resumed and Restarted (the
    source has changed), PauseChanged, Ended.
    """

    def __init__(self, stream: Stream, ask: Ask, tell: Tell, *, config: FilesConfig | None = None) -> None:
        self._receiver = Receiver(config)
        super().__init__(stream, self._receiver, tell)
        self._worker = Writer(self._make, self._give)
        self._ask = ask
        self._into: Into | None = None
        self._words: Text | None = None
        self._group: asyncio.TaskGroup
        self._asking: asyncio.Task[None] | None = None

    def _begin(self, group: asyncio.TaskGroup) -> None:
        self._group = group

    def _happened(self, event: TransferEvent) -> None:
        super()._happened(event)
        if isinstance(event, Offered):
            self._asking = self._group.create_task(self._asked(event.offer))
        elif isinstance(event, Ended) and self._asking is not None:
            self._asking.cancel()  # the sender takes it back while our user thinks; nothing when it has been answered

    async def _asked(self, offer: Offer) -> None:
        answer = await self._ask(offer)
        if isinstance(answer, Reason):
            self._receiver.decline(answer)
        else:
            self._into = answer
            self._receiver.accept()
        self._pump()

    def _may_read(self) -> bool:
        return self._receiver.wants_input

    def _text(self) -> str | None:
        return None if self._words is None else self._words.text

    def _make(self, manifest: Manifest) -> Sink:
        assert self._into is not None  # noqa: S101 - nothing is listed before it is accepted
        if manifest.offer.kind is Kind.TEXT:
            self._words = Text(manifest.entries)
            return self._words
        if self._into.descriptor is not None:
            return Output(manifest.entries, self._into.descriptor)
        plan = Plan(manifest.offer.transfer, _name(manifest), manifest.entries, manifest.total)
        return Storage(plan, self._into.folder, overwrite=self._into.overwrite, durable=self._into.durable)


def _name(manifest: Manifest) -> str:
    """What the parts are called after."""
    tops = {entry.path[0] for entry in manifest.entries}
    if len(tops) == 1:
        return tops.pop()
    try:
        return safe_name(manifest.offer.name).name
    except UnsafeNameError:
        return "files"
