"""What the three dialects share: a bounded buffer, a state, and a table of the moves that are allowed.

A machine has one *reader* for each state in which it waits for bytes. A reader is given what may be looked at, takes a
whole unit off the buffer, and returns events; or it returns None when the unit is not complete yet. It decides on a
whole prefix only, so the way in which bytes are cut into pieces never changes the outcome::

    (readers) ──► ASKED ──► ANSWERED      the relay said yes: the connection carries the stream from here on
        │           │
        └───────────┴─────► CLOSED        refused here, or the relay said no, or the answer was all there is to say

Foreign bytes never raise: whatever cannot be served ends with the dialect's own refusal and a Close event.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from mayfly.enumeration import IdentityEnum
from mayfly.errors import ErrorCode, LocalProtocolError, Reply
from mayfly.socks.events import Close, Command, End, Event, Request, Send
from mayfly.socks.login import Login
from mayfly.wire.address import Destination


def nothing_asked() -> LocalProtocolError:
    """A reply was given where no Request waits for one."""
    return LocalProtocolError(ErrorCode.INTERNAL_ERROR, "no proxy request waits for a reply")


class State(IdentityEnum):
    """Where a handshake stands. Each dialect uses those that its table names."""

    GREETING = "greeting"
    PASSWORD = "password"  # noqa: S105 - the name of a state
    REQUEST = "request"
    FIELDS = "fields"
    ASKED = "asked"
    ANSWERED = "answered"
    CLOSED = "closed"


Table = Mapping[State, frozenset[State]]
Reader = Callable[[bytes], list[Event] | None]


class Handshake(ABC):
    """One application's handshake in one dialect. `limit` is how many bytes it may take."""

    table: ClassVar[Table]
    first: ClassVar[State]

    def __init__(self, login: Login, limit: int) -> None:
        self.state = self.first
        self._login = login
        self._limit = limit
        self._taken = 0
        self._buffer = bytearray()
        self._readers = self._make_readers()
        self._request: Request | None = None

    def receive(self, data: bytes) -> list[Event]:
        """Take bytes from the application. After a Request they collect in `leftover`; after a Close they are lost."""
        if self.state is State.CLOSED:
            return []
        self._buffer += data
        events: list[Event] = []
        while (reader := self._readers.get(self.state)) is not None:
            room = self._limit - self._taken
            found = reader(bytes(self._buffer[:room]))
            if found is None:
                if len(self._buffer) >= room:
                    events += self._refuse(self._too_long(), End.TOO_LONG)
                break
            events += found
        return events

    def reply(self, reply: Reply, bound: Destination) -> bytes:
        """Encode the relay's answer to the Request, once. Raises LocalProtocolError where no Request waits.

        Unless this is a success of CONNECT or UDP_ASSOCIATE, the connection is to be closed after it.
        """
        if self._request is None or self.state is not State.ASKED:
            raise nothing_asked()
        command = self._request.command
        lasting = reply is Reply.SUCCEEDED and command in (Command.CONNECT, Command.UDP_ASSOCIATE)
        self._move(State.ANSWERED if lasting else State.CLOSED)
        return self._encode(reply, bound, command)

    @property
    def leftover(self) -> bytes:
        """What came after the request, not yet meant for us: the beginning of the stream."""
        return bytes(self._buffer) if self.state in (State.ASKED, State.ANSWERED) else b""

    @abstractmethod
    def _make_readers(self) -> Mapping[State, Reader]:
        """One reader for each state that waits for bytes."""

    @abstractmethod
    def _too_long(self) -> bytes:
        """What to send when the limit is reached in the present state."""

    @abstractmethod
    def _encode(self, reply: Reply, bound: Destination, command: Command) -> bytes:
        """The relay's answer in this dialect."""

    def _move(self, to: State) -> None:
        if to not in self.table[self.state]:
            raise LocalProtocolError(ErrorCode.INTERNAL_ERROR, f"a handshake cannot go from {self.state} to {to}")
        self.state = to
        if to is State.CLOSED:
            self._buffer.clear()

    def _take(self, count: int) -> None:
        del self._buffer[:count]
        self._taken += count

    def _ask(self, request: Request) -> list[Event]:
        self._move(State.ASKED)
        self._request = request
        return [request]

    def _refuse(self, data: bytes, why: End) -> list[Event]:
        self._move(State.CLOSED)
        return [Send(data), Close(why)]
