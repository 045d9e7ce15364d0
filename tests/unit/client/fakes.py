"""A relay that a test plays by hand: streams are opened, and wait for what the test answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from mayfly.errors import MayflyError, StreamCode, StreamResetError
from mayfly.mux.events import Priority
from mayfly.runtime.stream import Stream
from mayfly.wire.header import Answer, Header, Service
from mayfly_client.dialler import Datagrams


class FakeStream:
    """What the proxy needs of a stream up to the splice."""

    def __init__(self, stream_id: int, header: Header) -> None:
        self.id = stream_id
        self.header = header
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.incoming: asyncio.Queue[bytes | MayflyError] = asyncio.Queue()
        self.reset_with: int | None = None
        self.was_reset = asyncio.Event()

    def flush(self) -> None:
        """Nothing waits here."""

    async def read_answer(self) -> Answer:
        return await self.answer

    async def read(self, limit: int = 65536) -> bytes:
        data = await self.incoming.get()
        if isinstance(data, MayflyError):
            raise data
        return data

    def reset(self, code: int = StreamCode.CANCELLED) -> None:
        self.reset_with = code
        self.was_reset.set()

    def fail(self, code: int = StreamCode.CANCELLED) -> None:
        """The relay resets the stream."""
        error = StreamResetError(code)
        if not self.answer.done():
            self.answer.set_exception(error)
        self.incoming.put_nowait(error)


class FakeDatagrams:
    """A UDP association at the relay."""

    def __init__(self, stream: FakeStream, receive: Callable[[bytes], None]) -> None:
        self.fake = stream
        self.deliver = receive
        self.sent: asyncio.Queue[bytes] = asyncio.Queue()

    @property
    def stream(self) -> Stream:
        return cast("Stream", self.fake)

    def send(self, payload: bytes) -> None:
        self.sent.put_nowait(payload)

    def close(self) -> None:
        self.fake.reset()


class FakeDialler:
    """Opens fake streams and hands them to the test. With `error` set it raises that; with `hold`, it waits first."""

    def __init__(self) -> None:
        self.opened: asyncio.Queue[FakeStream] = asyncio.Queue()
        self.associations: asyncio.Queue[FakeDatagrams] = asyncio.Queue()
        self.error: BaseException | None = None
        self.hold: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.gave_up = asyncio.Event()
        self._next = 0

    async def open_stream(self, header: Header, priority: Priority = Priority.INTERACTIVE) -> Stream:
        stream = await self._open(header)
        self.opened.put_nowait(stream)
        return cast("Stream", stream)

    async def open_datagrams(self, receive: Callable[[bytes], None]) -> Datagrams:
        datagrams = FakeDatagrams(await self._open(Header(Service.UDP)), receive)
        self.associations.put_nowait(datagrams)
        return datagrams

    async def _open(self, header: Header) -> FakeStream:
        self.asked.set()
        if self.hold is not None:
            try:
                await self.hold.wait()
            except asyncio.CancelledError:
                self.gave_up.set()
                raise
        if self.error is not None:
            raise self.error
        self._next += 2
        return FakeStream(self._next, header)
