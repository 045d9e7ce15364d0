"""Sending what a source holds over one FILE stream."""

from __future__ import annotations

from mayfly.config import FilesConfig
from mayfly.files.sender import Sender
from mayfly.runtime.stream import Stream
from mayfly.services.driving import Driver, Tell
from mayfly.services.reading import Blocks, Reader
from mayfly.services.source import Source, SourceReader


class Sending(Driver):
    """One transfer to one receiver, over a stream of ours that stands behind its header and answer, with Priority.BULK.

    `tell` hears every event of the machine: Accepted, Resumed, Restarted (the source has changed), PauseChanged, Ended.
    """

    def __init__(
        self,
        stream: Stream,
        source: Source,
        tell: Tell,
        *,
        blocks: Blocks | None = None,
        config: FilesConfig | None = None,
    ) -> None:
        """`blocks` is a share of a `broadcast.Broadcast` of the same source, if it goes to many."""
        super().__init__(stream, Sender(source.offer, source.entries, config), tell)
        self._worker = Reader(blocks or SourceReader(source), self._give)
