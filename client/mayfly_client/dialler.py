"""Where the local proxy gets its streams from: one session with one relay here, several in `pooldialler.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mayfly.errors import LinkLostError
from mayfly.mux.events import Priority
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.wire.header import Header, Service

WAIT = "Wait until the client says that it is connected."


class Datagrams(Protocol):
    """A stream of the service UDP, with the datagrams that carry its number."""

    @property
    def stream(self) -> Stream:
        """Answers the header; its end is the association's end."""
        ...

    def send(self, payload: bytes) -> None:
        """Send one. Dropped where there is no room."""
        ...

    def close(self) -> None:
        """Reset the stream and hear no more. Idempotent."""
        ...


class Dialler(Protocol):
    """Opens streams to a relay. Raises MayflyError where that cannot be: draining, no session, session ended."""

    async def open_stream(self, header: Header, priority: Priority = Priority.INTERACTIVE) -> Stream:
        """Open a stream and send its header. The caller reads the answer."""
        ...

    async def open_datagrams(self, receive: Callable[[bytes], None]) -> Datagrams:
        """Open a stream of the service UDP, whose datagrams go to `receive` as they come."""
        ...


class SessionDialler:
    """Opens streams on one session, which may be replaced by another.

    The session wants `deliver` as its `on_datagram` before it exists, hence `attach` afterwards.
    """

    def __init__(self) -> None:
        self._session: Session | None = None
        self._receivers: dict[int, Callable[[bytes], None]] = {}

    def attach(self, session: Session) -> None:
        """Open streams on this session from now on. Those open on an earlier one stay there."""
        self._session = session
        self._receivers = {}

    def deliver(self, stream_id: int, payload: bytes) -> None:
        """Take a datagram of the attached session. One that belongs to no open association is dropped."""
        receive = self._receivers.get(stream_id)
        if receive is not None:
            receive(payload)

    async def open_stream(self, header: Header, priority: Priority = Priority.INTERACTIVE) -> Stream:
        """Open a stream on the attached session. Raises LinkLostError where there is none, and what Session raises."""
        return await self._attached().open_stream(header, priority)

    async def open_datagrams(self, receive: Callable[[bytes], None]) -> Datagrams:
        """Open an association on the attached session. Raises as open_stream does."""
        session, receivers = self._attached(), self._receivers
        stream = await session.open_stream(Header(Service.UDP))
        receivers[stream.id] = receive
        return _SessionDatagrams(session, stream, receivers)

    def _attached(self) -> Session:
        if self._session is None:
            raise LinkLostError("there is no relay yet", hint=WAIT)
        return self._session


class _SessionDatagrams:
    def __init__(self, session: Session, stream: Stream, receivers: dict[int, Callable[[bytes], None]]) -> None:
        self._session = session
        self._receivers = receivers
        self.stream = stream

    def send(self, payload: bytes) -> None:
        self._session.send_datagram(self.stream.id, payload)

    def close(self) -> None:
        if self._receivers.pop(self.stream.id, None) is not None:
            self.stream.reset()
