"""A sender written by hand, at the end of a real link: it offers what no `mayfly send` would."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

from blake3 import blake3

from mayfly.errors import ErrorCode, StreamResetError
from mayfly.files import records as r
from mayfly.files.reader import RecordReader
from mayfly.mux.events import Priority
from mayfly.runtime.meeting import Meeting
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.transport.aiortc.engine import AiortcEngine
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Role
from support.links import LOOPBACK
from support.mayfly import MayflyProcess
from support.programs_in_memory import Script
from support.sessions import session_on

CONTENT = b"what was sent\n"


class RefusedError(Exception):
    """The receiver has ended the transfer."""


class _Dialogue:
    """One FILE stream of ours."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.heard: list[r.Record] = []
        self._reader = RecordReader()

    async def say(self, *records: r.Record) -> None:
        await self.stream.write(b"".join(record.encode() for record in records))

    async def hear(self, wanted: type[r.Record]) -> None:
        """Wait for a record of that type. Raises RefusedError, StreamResetError."""
        while not any(isinstance(record, wanted) for record in self.heard):
            data = await self.stream.read()
            self.heard += self._reader.feed(data)
            if not data or any(isinstance(record, r.Cancel | r.Decline) for record in self.heard):
                raise RefusedError


class ForeignSender:
    """Opens FILE streams of one session, a transfer on each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._numbers = itertools.count(1)

    async def offer(
        self,
        *paths: tuple[str, ...],
        size: int = len(CONTENT),
        content: bytes = CONTENT,
        name: str = "gift",
        count: int | None = None,
    ) -> r.Record:
        """Offer files of these paths, each of that size by our own word, and send that content for each.

        Gives the receiver's last record: COMPLETED, or why it takes no more. `count` is how many we say there are.
        """
        dialogue = _Dialogue(await self._session.open_stream(Header(Service.FILE), Priority.BULK))
        await dialogue.stream.read_answer()
        count = len(paths) if count is None else count
        offer = r.Offer(next(self._numbers).to_bytes(r.ID_SIZE, "big"), r.Kind.FILES, name, size * count, count)
        entries = [r.Entry(index, path, r.EntryType.FILE, size, 0) for index, path in enumerate(paths)]
        hashed = r.FileHash(len(content), blake3(content).digest())
        with contextlib.suppress(RefusedError, StreamResetError):
            await dialogue.say(offer)
            await dialogue.hear(r.Accept)
            await dialogue.say(*entries, r.EndOfEntries())
            await dialogue.hear(r.Want)
            for index in range(len(paths)):
                await dialogue.say(r.File(index, 0), r.Chunk(content), hashed)
            await dialogue.say(r.Finished())
            await dialogue.hear(r.Completed)
        dialogue.stream.reset()
        return dialogue.heard[-1]


@contextlib.asynccontextmanager
async def foreign_sender(receiver: MayflyProcess, role: Role) -> AsyncIterator[ForeignSender]:
    """Meet a program that reads codes, as that role."""
    script = Script()
    meeting = Meeting(AiortcEngine(), LOOPBACK, script, script)
    inviting = asyncio.get_running_loop().create_task(meeting.invite())
    await receiver.send_code(await script.code())
    script.paste(await receiver.code("answer"))
    invitation = await inviting
    met = await invitation.connect()
    session = session_on(met.link, role, lifetime=600)
    await session.start()
    try:
        yield ForeignSender(session)
    finally:
        await session.close(ErrorCode.NO_ERROR, "done")
