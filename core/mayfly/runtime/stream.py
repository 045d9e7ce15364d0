"""One stream as a program sees it: awaitable calls for services, callbacks for the splice.

Both faces stand on `take` and `put`, which never block. Credit goes back to the peer when bytes are taken, so a program
that takes no more than it can pass on holds the peer's sender back, end to end.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from mayfly.config import StreamHeaderConfig
from mayfly.errors import StreamCode, StreamResetError
from mayfly.mux.events import Priority
from mayfly.wire.header import Answer, Header, HeaderError, UnknownServiceError, take_prefixed

if TYPE_CHECKING:
    from mayfly.runtime.session import Session


class StreamHandler(Protocol):
    """Who is told what happens on a stream. Calls come on the loop's thread; they may call the stream back."""

    def stream_readable(self) -> None:
        """`take` has bytes, or the end."""
        ...

    def stream_writable(self) -> None:
        """`put` takes bytes again after it had refused some."""
        ...

    def stream_reset(self, code: int) -> None:
        """Nothing more will come: the peer ended its half early, or the session is over."""
        ...

    def stream_stopped(self, code: int) -> None:
        """Nothing more can be sent: the peer wants no more, or the session is over."""
        ...


class _Waiter:
    """The handler of a stream that is read and written by awaiting."""

    __slots__ = ("_readable", "_writable")

    def __init__(self) -> None:
        self._readable: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None

    def readable(self) -> asyncio.Future[None]:
        """Done at the next chance to read; one reader at a time."""
        self._readable = asyncio.get_running_loop().create_future()
        return self._readable

    def writable(self) -> asyncio.Future[None]:
        """Done at the next chance to write; one writer at a time."""
        self._writable = asyncio.get_running_loop().create_future()
        return self._writable

    def wake(self) -> None:
        """Let whoever waits look again."""
        _finish(self._readable)
        _finish(self._writable)

    def stream_readable(self) -> None:
        _finish(self._readable)

    def stream_writable(self) -> None:
        _finish(self._writable)

    def stream_reset(self, code: int) -> None:
        _finish(self._readable)

    def stream_stopped(self, code: int) -> None:
        _finish(self._writable)


class Stream:
    """One stream of a session, opened by either side."""

    __slots__ = (
        "_dry",
        "_handler",
        "_held",
        "_read_ended",
        "_reset_code",
        "_session",
        "_stop_code",
        "_write_ended",
        "id",
    )

    def __init__(self, session: Session, stream_id: int) -> None:
        self.id = stream_id
        self._session = session
        self._handler: StreamHandler = _Waiter()
        self._held = b""
        self._dry = False  # everything was taken, until `on_readable`
        self._reset_code: int | None = None
        self._stop_code: int | None = None
        self._read_ended = False
        self._write_ended = False

    # Without waiting

    def attach(self, handler: StreamHandler) -> None:
        """From now on `handler` is told, and the awaitable calls may not be used any more."""
        self._handler = handler

    def take(self, limit: int) -> tuple[bytes, bool]:
        """Up to `limit` bytes that are there, and whether the end is reached. Raises StreamResetError."""
        if self._held:
            held, self._held = self._held[:limit], self._held[limit:]
            return held, False
        if self._reset_code is not None:
            raise StreamResetError(self._reset_code)
        if self._read_ended:
            return b"", True
        if self._dry:
            return b"", False
        data, ended = self._session.take(self, limit)
        self._dry = len(data) < limit
        if ended:
            self._read_ended = True
            self._forget_if_over()
        return data, ended

    def put(self, data: bytes) -> int:
        """Hand bytes over; gives how many were taken, less than all when it is full. Raises StreamResetError."""
        self.check_wanted()
        return self._session.put(self, data)

    def room(self) -> int:
        """How many bytes `put` would take; after 0, `stream_writable` follows. Raises StreamResetError."""
        self.check_wanted()
        return self._session.room(self)

    @property
    def stopped(self) -> bool:
        """Whether nothing of ours is wanted any more."""
        return self._stop_code is not None

    def check_wanted(self) -> None:
        """Raise StreamResetError where `stopped`."""
        if self._stop_code is not None:
            raise StreamResetError(self._stop_code)

    def flush(self) -> None:
        """Let what was handed over leave before more is done in this turn of the loop; it would leave in the next."""
        self._session.flush()

    @property
    def scratch(self) -> memoryview:
        """A buffer that all streams of the session share, for bytes that are handed over at once."""
        return self._session.scratch

    def finish(self) -> None:
        """End our half behind what was handed over (FIN). Does nothing on a half that has ended."""
        if not self._write_ended:
            self._write_ended = True
            self._session.finish(self)
            self._forget_if_over()

    def reset(self, code: int = StreamCode.CANCELLED) -> None:
        """Abort whatever half is still open, in both directions (RST)."""
        if not self._write_ended:
            self._write_ended = True
            self._session.reset(self, code)
        if not self._read_ended:
            self._read_ended = True
            self._session.stop(self, code)
        self._stop_code = code if self._stop_code is None else self._stop_code
        self._reset_code = code if self._reset_code is None else self._reset_code
        self._forget_if_over()
        if isinstance(self._handler, _Waiter):  # another task of ours may be waiting on this stream
            self._handler.wake()

    def set_priority(self, priority: Priority) -> None:
        """Move it to another class; the opener of a stream has chosen one already. Does nothing on one that is over."""
        if not (self._read_ended and self._write_ended):
            self._session.set_priority(self, priority)

    # With waiting

    async def read(self, limit: int = 65536) -> bytes:
        """Up to `limit` bytes as soon as there are any; empty at the end. Raises StreamResetError."""
        while True:
            data, ended = self.take(limit)
            if data or ended:
                return data
            await self._waiter().readable()

    async def write(self, data: bytes) -> None:
        """Hand all of `data` over, waiting for room. Raises StreamResetError."""
        while (taken := self.put(data)) < len(data):
            data = data[taken:]
            await self._waiter().writable()

    async def read_header(self, seconds: float | None = None) -> Header:
        """What the peer opened this stream for.

        A stream without a sound header is reset, with StreamResetError. Raises TimeoutError when the header is not
        whole within `seconds`; mostly it came with the stream, which costs no timer.
        """
        try:
            body = self._take_prefixed()
            if body is None:
                async with asyncio.timeout(seconds):
                    body = await self._read_prefixed()
            return Header.decode(body)
        except HeaderError as error:
            unknown = isinstance(error, UnknownServiceError)
            code = StreamCode.UNSUPPORTED if unknown else StreamCode.BAD_HEADER
            self.reset(code)
            raise StreamResetError(code, f"a stream's header is wrong: {error}") from None

    async def answer(self, answer: Answer) -> None:
        """Tell the opener how its request went."""
        await self.write(answer.encode())

    async def read_answer(self) -> Answer:
        """How our request went. Raises StreamResetError, also for an answer that makes no sense."""
        try:
            return Answer.decode(await self._read_prefixed())
        except HeaderError as error:
            self.reset(StreamCode.BAD_HEADER)
            raise StreamResetError(StreamCode.BAD_HEADER, f"a stream's answer is wrong: {error}") from None

    async def _read_prefixed(self) -> bytes:
        """The body behind a length. Raises HeaderError or StreamResetError. What follows stays to be read."""
        while (body := self._take_prefixed()) is None:
            await self._waiter().readable()
        return body

    def _take_prefixed(self) -> bytes | None:
        """The same without waiting: None while it is not whole, and what there is of it is held."""
        config: StreamHeaderConfig = self._session.header_config
        begun, self._held = self._held, b""
        data, ended = self.take(config.max_header + 8)
        self._held = begun + data
        found = take_prefixed(self._held, config.max_header)
        if found is None:
            if ended:
                raise HeaderError("it is cut short")
            return None
        body, end = found
        self._held = self._held[end:]
        return body

    def _waiter(self) -> _Waiter:
        assert isinstance(self._handler, _Waiter), "a stream with a handler cannot be awaited"  # noqa: S101 - our bug
        return self._handler

    # For the session

    def on_readable(self) -> None:
        """The multiplexer has something to read."""
        self._dry = False
        self._handler.stream_readable()

    def on_writable(self) -> None:
        """The multiplexer has room again."""
        self._handler.stream_writable()

    def on_reset(self, code: int) -> None:
        """The peer's half is over early."""
        if not self._read_ended:
            self._read_ended = True
            self._reset_code = code
            self._forget_if_over()
            self._handler.stream_reset(code)

    def on_stopped(self, code: int) -> None:
        """Our half is over early."""
        if self._stop_code is None:
            self._write_ended = True
            self._stop_code = code
            self._forget_if_over()
            self._handler.stream_stopped(code)

    def _forget_if_over(self) -> None:
        if self._read_ended and self._write_ended:
            self._session.forget(self)


def _finish(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
