"""Work for a stream that is given up as soon as the client gives the stream up."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from mayfly.errors import StreamResetError
from mayfly.runtime.stream import Stream


class UntilReset:
    """`with UntilReset(stream):` cancels its body when the stream is reset, and raises StreamResetError instead.

    Built like `asyncio.timeout`, so it nests with it and lets a cancellation from outside pass. It becomes the
    stream's handler: behind it, only `put` and another handler may be used.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._code: int | None = None

    def __enter__(self) -> Self:
        self._stream.check_wanted()  # the client may have left before the handler was there
        self._task = asyncio.current_task()
        if self._task is not None:
            self._cancelling = self._task.cancelling()
        self._stream.attach(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if self._code is None or task is None:
            return
        if task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise StreamResetError(self._code) from None

    def stream_readable(self) -> None:
        """Bytes of the client wait until there is somewhere to send them."""

    def stream_writable(self) -> None:
        """Nothing waits to be written."""

    def stream_reset(self, code: int) -> None:
        """The client has given up sending."""
        self._give_up(code)

    def stream_stopped(self, code: int) -> None:
        """The client does not want the answer any more."""
        self._give_up(code)

    def _give_up(self, code: int) -> None:
        if self._task is not None and self._code is None:
            self._code = code
            self._task.cancel()
