"""What running programs and commands tell people and machines: one schema, one class for each event.

`to_json()` gives the object that `--json` prints as one line; its `event` key names the class. The types of the members
say their units, see `mayfly.runtime.event`. Text that came from a peer (reasons, an exit policy) is passed as it came:
whoever shows it to people escapes it with `mayfly.runtime.terminal.printable`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from mayfly.errors import MayflyError
from mayfly.runtime.event import Event as Event  # noqa: PLC0414 - for others, too
from mayfly.runtime.event import Foreign, Milliseconds, Seconds, UnixTime, sentence
from mayfly.runtime.service_events import Delivered as Delivered  # noqa: PLC0414
from mayfly.runtime.service_events import Joined as Joined  # noqa: PLC0414
from mayfly.runtime.service_events import Left as Left  # noqa: PLC0414
from mayfly.runtime.service_events import MessageReceived as MessageReceived  # noqa: PLC0414
from mayfly.runtime.service_events import Offered as Offered  # noqa: PLC0414
from mayfly.runtime.service_events import Progress as Progress  # noqa: PLC0414
from mayfly.runtime.service_events import TransferChanged as TransferChanged  # noqa: PLC0414
from mayfly.runtime.service_events import Undelivered as Undelivered  # noqa: PLC0414
from mayfly.runtime.tor_events import Renewed as Renewed  # noqa: PLC0414
from mayfly.runtime.tor_events import TorChanged as TorChanged  # noqa: PLC0414
from mayfly.signaling.description import Kind


@dataclass(frozen=True, slots=True)
class CodeReady(Event):
    """A code to hand to the other side. A later one of the same kind takes the place of an earlier one.

    Told by: relay, client, chat, send, receive.
    """

    event: ClassVar[str] = "code"

    kind: str
    """`offer` or `answer`; `short` for a short code, which leads to this program through a broker."""
    code: str
    """The code, on one line."""
    expires: UnixTime
    """From then on the other side refuses the code, or nobody waits under it any more."""
    discloses: tuple[str, ...]
    """The addresses that the code gives away, each with its kind, for example `203.0.113.7 (srflx)`. A short code gives
    away none."""
    role: str
    """The DTLS role in the code: `actpass`, `active` or `passive`. Empty for a short code."""


@dataclass(frozen=True, slots=True)
class Posted(Event):
    """This relay stands in the pool of a broker, for strangers to take; perhaps again, after the broker was away.

    Told by: relay.
    """

    event: ClassVar[str] = "posted"

    broker: str
    """The broker's URL, as it was given."""


@dataclass(frozen=True, slots=True)
class Words(Event):
    """The verification words, told by the side that answers, before the link is open.

    Told by: relay, client, chat, send, receive.
    """

    event: ClassVar[str] = "words"

    words: tuple[str, ...]
    """Five words; both sides see the same."""


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """A link is open, and both sides have said who they are.

    Told by: relay, client, chat, send, receive.
    """

    event: ClassVar[str] = "connected"

    peer: int
    """Counts the other sides of this run, from 1."""
    role: str
    """What the other side is: `client`, `relay` or `peer`."""
    words: tuple[str, ...]
    """The five verification words; both sides see the same."""
    local: str | None
    """Our end of the path: `host`, `srflx` (through a NAT) or `relay` (a TURN server); null where the engine
    does not know."""
    remote: str | None
    """The other end of the path, likewise; null also for an address that its code did not name, which may be its
    NAT's or a TURN server's."""
    rtt_ms: Milliseconds | None
    """The round trip; null while unmeasured."""
    policy: Foreign | None = None
    """A relay's exit policy in its own words."""
    lifetime: Seconds | None = None
    """For how long the other side says that it stays."""
    upstream: str | None = None
    """Where a relay says that it sends streams: `direct`, `proxy`, `tor` or `bridge`."""


@dataclass(frozen=True, slots=True)
class Listening(Event):
    """The local proxy is open, or the broker, or the onion service.

    Told by: relay, client, broker.
    """

    event: ClassVar[str] = "listening"

    protocol: str
    """`socks5`, where the same port takes SOCKS4a and HTTP CONNECT; `onion` for the onion service at which clients
    come; `http` or `https` for a broker."""
    address: str
    """`HOST:PORT`, an IPv6 host in brackets; or the onion address, or the path of a broker's socket."""


@dataclass(frozen=True, slots=True)
class Leaving(Event):
    """The other side leaves: what is open may finish, nothing new starts.

    Told by: relay, client, chat, send, receive, stop.
    """

    event: ClassVar[str] = "leaving"

    peer: int
    """Who leaves, as counted in `connected`."""
    seconds: Seconds
    """How long it waits for what is open."""
    reason: Foreign
    """For people."""


@dataclass(frozen=True, slots=True)
class Draining(Event):
    """This side leaves: what is open may finish, nothing new starts.

    Told by: relay, client, chat, send, receive, broker, stop.
    """

    event: ClassVar[str] = "draining"

    streams: int
    """Connections that are still open; of a broker, matches."""
    seconds: Seconds
    """What they get at most."""


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """The link to the other side has ended.

    Told by: relay, client, chat, send, receive, stop.
    """

    event: ClassVar[str] = "closed"

    peer: int
    """Who is gone, as counted in `connected`."""
    reason: Foreign
    """For people; some reasons are the other side's words."""


@dataclass(frozen=True, slots=True)
class Problem(Event):
    """What went wrong, and what to do about it."""

    stage: str
    """Where; see [Stages](#stages)."""
    message: str
    """What happened."""
    hint: str = ""
    """What to do next; empty where there is nothing to do."""

    @classmethod
    def of(cls, error: MayflyError) -> Self:
        """An error, in whole sentences."""
        return cls(error.stage, sentence(error.message), sentence(error.hint))


@dataclass(frozen=True, slots=True)
class Warned(Problem):
    """Something went wrong or is unwise, and the run goes on: a mistyped code, a proxy open to the network.

    Told by: every command.
    """

    event: ClassVar[str] = "warning"


@dataclass(frozen=True, slots=True)
class Failed(Problem):
    """The run ends because of this.

    Told by: every command.
    """

    event: ClassVar[str] = "error"


@dataclass(frozen=True, slots=True)
class Inspected(Event):
    """What was found in a code, without connecting anywhere.

    Told by: code inspect.
    """

    event: ClassVar[str] = "inspected"

    kind: str
    """`offer` or `answer`."""
    expires: UnixTime
    """From then on the other side refuses the code."""
    expired: bool
    """Whether that time has come, by this computer's clock."""
    discloses: tuple[str, ...]
    """The addresses that the code gives away, each with its kind."""
    role: str
    """The DTLS role in the code: `actpass`, `active` or `passive`."""


@dataclass(frozen=True, slots=True)
class Status(Event):
    """What a running program does at this moment.

    Told by: status.
    """

    event: ClassVar[str] = "status"

    session: str
    """The program's name, as `--session` takes it."""
    program: str
    """`relay`, `client` or `peer`."""
    pid: int
    """The process."""
    uptime: Seconds
    """Since it was started."""
    draining: bool
    """Whether it is leaving."""
    name: str
    """Our own name in the chat."""
    who: tuple[Foreign, ...]
    """The others in the chat."""
    peers: tuple[dict[str, Any], ...]
    """Each with `peer`, `role`, `name` (foreign), `path` (an object of `local` and `remote`), `rtt_ms`, `streams` (how
    many are open), `sent` and `received` (bytes), and `seconds` (since it came)."""
    transfers: tuple[dict[str, Any], ...]
    """Each with `transfer`, `peer`, `direction` (`in` or `out`), `kind`, `name` (foreign), `bytes`, `total`, `files`,
    `rate` and `state`, as in `offered`, `progress` and `transfer`; the state is `offered` before any of those."""
    upstream: dict[str, Any] | None = None
    """Of a relay: its `kind`, and for `tor` also `state`, `percent`, `words`, `problem`, `version` and `circuits`. Each
    circuit has `id`, `state`, `purpose`, `client` (as `peer`, or null) and `hops` (nicknames)."""


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
"""Every event there is, in the order of core/CATALOGUE.md."""


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
