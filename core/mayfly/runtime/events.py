"""What a running relay or client tells people and machines: one schema, one class for each event.

`to_json()` gives the object that `--json` prints as one line; its `event` key names the class. Times are UNIX seconds
where they are points in time and seconds where they are spans, except `rtt_ms`. Text that came from a peer (reasons, an
exit policy) is passed as it came: whoever shows it to people escapes it with `mayfly.runtime.terminal.printable`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, Self

from mayfly.errors import MayflyError
from mayfly.runtime.event import Event as Event  # noqa: PLC0414 - for others, too
from mayfly.runtime.event import plain
from mayfly.runtime.tor_events import Renewed as Renewed  # noqa: PLC0414 - for others, too
from mayfly.runtime.tor_events import TorChanged as TorChanged  # noqa: PLC0414 - for others, too
from mayfly.signaling.description import Kind


@dataclass(frozen=True, slots=True)
class CodeReady(Event):
    """A code to hand to the other side. A later one of the same kind takes the place of an earlier one."""

    event: ClassVar[str] = "code"

    kind: str
    """`offer` or `answer`; `short` for a short code, which leads to this program through a broker."""
    code: str
    expires: int
    """UNIX time after which the other side refuses the code, or nobody waits under it any more."""
    discloses: tuple[str, ...]
    """The addresses that the code gives away, in words, for example `203.0.113.7 (srflx)`. A short code: none."""
    role: str
    """The DTLS role in the code: `actpass`, `active` or `passive`. Empty for a short code."""


@dataclass(frozen=True, slots=True)
class Words(Event):
    """The verification words, told by the answerer before the link is open, as soon as it knows both codes."""

    event: ClassVar[str] = "words"

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Posted(Event):
    """This relay stands in the pool of a broker, for strangers to take."""

    event: ClassVar[str] = "posted"

    broker: str
    """The broker's URL, as it was given."""


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """A link is open and both ends have said HELLO."""

    event: ClassVar[str] = "connected"

    peer: int
    """Counts the peers of this run, from 1."""
    role: str
    """What the peer is: `client`, `relay` or `peer`."""
    words: tuple[str, ...]
    """The verification words; both ends show the same."""
    local: str | None
    """Our side of the path: `host`, `srflx` or `relay`; None where the engine does not know."""
    remote: str | None
    round_trip: float | None
    """Seconds; None while unmeasured. Machines see `rtt_ms`."""
    policy: str | None = None
    """The peer's exit policy in its own words, if it is a relay. Foreign text."""
    lifetime: float | None = None
    """Seconds for which the peer says that it still stays."""
    upstream: str | None = None
    """Where the peer says that it sends streams, if it is a relay: `direct`, `proxy`, `tor` or `bridge`."""

    def to_json(self) -> dict[str, Any]:
        """The path becomes an object of its own, and the round trip milliseconds."""
        return {
            "event": self.event,
            "peer": self.peer,
            "role": self.role,
            "words": list(self.words),
            "path": {"local": self.local, "remote": self.remote},
            "rtt_ms": None if self.round_trip is None else round(self.round_trip * 1000, 3),
            "policy": self.policy,
            "lifetime": self.lifetime,
            "upstream": self.upstream,
        }


@dataclass(frozen=True, slots=True)
class Listening(Event):
    """A local port is open, or an onion service."""

    event: ClassVar[str] = "listening"

    protocol: str
    """`socks5`, where the same port takes SOCKS4a and HTTP CONNECT; `onion` for a service at which clients come."""
    address: str
    """`host:port`, an IPv6 host in brackets; or the onion address."""


@dataclass(frozen=True, slots=True)
class Leaving(Event):
    """A peer has said that it leaves (GOAWAY): what is open may finish, nothing new starts."""

    event: ClassVar[str] = "leaving"

    peer: int
    seconds: float
    reason: str
    """Foreign text."""


@dataclass(frozen=True, slots=True)
class Draining(Event):
    """We leave: `streams` are still open and get at most `seconds`."""

    event: ClassVar[str] = "draining"

    streams: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """The session with a peer has ended."""

    event: ClassVar[str] = "closed"

    peer: int
    reason: str
    """May hold foreign text."""


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something went wrong or is unwise, and the run goes on: a mistyped code, a proxy open to the network."""

    event: ClassVar[str] = "warning"

    stage: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: MayflyError) -> Self:
        """An error that does not end the run."""
        return cls(error.stage, _sentence(error.message), _sentence(error.hint))


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The run ends because of this. `hint` says what to do next."""

    event: ClassVar[str] = "error"

    stage: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: MayflyError) -> Self:
        """An error that ends the run."""
        return cls(error.stage, _sentence(error.message), _sentence(error.hint))


@dataclass(frozen=True, slots=True)
class Inspected(Event):
    """What `mayfly code inspect` found in a code, without connecting anywhere."""

    event: ClassVar[str] = "inspected"

    kind: str
    """`offer` or `answer`."""
    expires: int
    """UNIX time."""
    expired: bool
    discloses: tuple[str, ...]
    role: str
    """`actpass`, `active` or `passive`."""


@dataclass(frozen=True, slots=True)
class MessageReceived(Event):
    """Somebody has said something."""

    event: ClassVar[str] = "message"

    sender: str
    """The name; machines see `from`. Foreign text."""
    to: str | None
    """Our own name for a private message, None for one to the whole room."""
    text: str
    """Foreign text."""
    time: int
    """When it was written, in UNIX milliseconds by the sender's clock."""
    id: str
    """The message's; no two messages share one."""

    def to_json(self) -> dict[str, Any]:
        """`sender` is called `from`, which Python keeps for itself."""
        return _with_from(self)


@dataclass(frozen=True, slots=True)
class Delivered(Event):
    """A message of ours has reached the program of `by`."""

    event: ClassVar[str] = "delivered"

    id: str
    by: str
    """A name. Foreign text."""


@dataclass(frozen=True, slots=True)
class Undelivered(Event):
    """A message of ours has not reached `to`."""

    event: ClassVar[str] = "undelivered"

    id: str
    to: str
    """A name. Foreign text."""
    final: bool
    """Whether it is given up; otherwise the link is lost, and it is sent when they come back."""


@dataclass(frozen=True, slots=True)
class Joined(Event):
    """Somebody has come into the room."""

    event: ClassVar[str] = "joined"

    name: str
    """Foreign text."""


@dataclass(frozen=True, slots=True)
class Left(Event):
    """Somebody has left the room."""

    event: ClassVar[str] = "left"

    name: str
    """Foreign text."""


@dataclass(frozen=True, slots=True)
class Offered(Event):
    """A peer wants to send files. Nothing comes before the offer is accepted."""

    event: ClassVar[str] = "offered"

    transfer: str
    """The transfer's id."""
    peer: int
    sender: str
    """The peer's name; machines see `from`. Foreign text."""
    kind: str
    """`files`, `directory`, `stdin` or `text`."""
    name: str
    """For people; it names no path. Foreign text."""
    size: int | None
    """Bytes in all; None when the sender cannot know."""
    files: int

    def to_json(self) -> dict[str, Any]:
        """`sender` is called `from`, which Python keeps for itself."""
        return _with_from(self)


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far a transfer has come."""

    event: ClassVar[str] = "progress"

    transfer: str
    peer: int
    bytes: int
    """Bytes that the receiver has verified and has on disk."""
    total: int | None
    rate: float
    """Bytes a second, lately."""


@dataclass(frozen=True, slots=True)
class TransferChanged(Event):
    """A transfer has reached another state."""

    event: ClassVar[str] = "transfer"

    transfer: str
    peer: int
    state: str
    """`accepted`, `declined`, `paused`, `resumed`, `completed`, `cancelled` or `interrupted`."""
    reason: str
    """For people; empty where there is nothing to say."""
    text: str | None = None
    """What was received, if it was a text that is `completed`. Foreign text."""


@dataclass(frozen=True, slots=True)
class Status(Event):
    """What a running program does at this moment; the answer to `mayfly status`."""

    event: ClassVar[str] = "status"

    session: str
    """The session's name, as in `--session`."""
    program: str
    """`relay`, `client` or `peer`."""
    pid: int
    uptime: float
    draining: bool
    name: str
    """Our own name in the chat."""
    who: tuple[str, ...]
    """The others in the chat. Foreign text."""
    peers: tuple[dict[str, Any], ...]
    """Each with peer, role, name, path {local, remote}, rtt_ms, streams, sent, received (bytes) and seconds."""
    transfers: tuple[dict[str, Any], ...]
    """Each with transfer, peer, direction (`in` or `out`), name, bytes, total, rate and state."""
    upstream: dict[str, Any] | None = None
    """Of a relay: its kind, and for `tor` state, percent, words, problem, version and circuits. Each circuit has id,
    state, purpose, client (the peer's number, or null) and hops (nicknames)."""


EVENTS: tuple[type[Event], ...] = (
    CodeReady,
    Posted,
    Words,
    Connected,
    Listening,
    Leaving,
    Draining,
    Closed,
    Warned,
    Failed,
    TorChanged,
    Renewed,
    Inspected,
    MessageReceived,
    Delivered,
    Undelivered,
    Joined,
    Left,
    Offered,
    Progress,
    TransferChanged,
    Status,
)
"""Every event there is, in the order of the README's table."""


class Reporter(Protocol):
    """Where a running program tells what happens. Never raises, never blocks for long."""

    def report(self, event: Event) -> None:
        """Show one event to whoever started the program."""
        ...


class CodeReader(Protocol):
    """Where the other side's codes come from: a person at a prompt, or lines on standard input."""

    async def read(self, wanted: Kind) -> str:
        """Wait for the next text that should hold a code of the wanted kind; it is not checked yet.

        Raises EOFError when the input has ended. May be cancelled, and called again after that: no input is lost.
        """
        ...


def _sentence(text: str) -> str:
    """An error's words as people read them: errors are raised with and without a capital and a full stop."""
    if not text:
        return text
    ended = text if text[-1] in ".!?" else text + "."
    return ended[0].upper() + ended[1:]


def _with_from(event: Event) -> dict[str, Any]:
    members = {field.name: plain(getattr(event, field.name)) for field in fields(event)}
    return {"event": event.event} | {"from" if name == "sender" else name: value for name, value in members.items()}
