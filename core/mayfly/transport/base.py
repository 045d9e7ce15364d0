"""The contract between the session and whatever carries its messages.

An `Engine` makes an offer or answers one; what comes of either is a `Link`: one peer connection with its one data
channel, message-oriented, reliable and (unless set otherwise) unordered. The channel is negotiated out of band with
the identifier `CHANNEL` (RFC 8832 §1), so no message can arrive before the channel it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from mayfly.config import EngineConfig, LinkConfig
from mayfly.signaling.description import CandidateType, Description

CHANNEL = 0
"""The identifier of the one channel."""

LABEL = "mayfly"
"""Its label, which only our own engines see."""


class IpPolicy(Enum):
    """Which of our addresses a code may disclose, and whether a STUN server may learn them."""

    ALL = "all"
    PUBLIC_ONLY = "public-only"
    NO_STUN = "no-stun"
    LAN = "lan"
    TURN_ONLY = "turn-only"

    @property
    def asks_stun(self) -> bool:
        """Whether STUN servers are asked for our public address."""
        return self in (IpPolicy.ALL, IpPolicy.PUBLIC_ONLY)

    @property
    def asks_turn(self) -> bool:
        """Whether TURN servers are asked to carry the link."""
        return self.asks_stun or self is IpPolicy.TURN_ONLY


class DtlsRole(Enum):
    """Who sends the ClientHello. `auto`: the end that has a browser's stack, where one has (see roles.py)."""

    AUTO = "auto"
    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class TurnServer:
    """A TURN server (RFC 8656) and its long-term credential."""

    url: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What the user chose for links. With `bind`, exactly those addresses are gathered, loopback included.

    `stun` holds `host:port` strings; empty means no STUN query ever leaves.
    """

    bind: tuple[IPv4Address | IPv6Address, ...] = ()
    stun: tuple[str, ...] = ()
    turn: tuple[TurnServer, ...] = ()
    ip_policy: IpPolicy = IpPolicy.ALL
    dtls_role: DtlsRole = DtlsRole.AUTO
    ordered: bool = False
    config: LinkConfig = field(default_factory=LinkConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)


@dataclass(frozen=True, slots=True)
class PathInfo:
    """The path in use. `round_trip` is in seconds, None while unmeasured. `local`, `remote`: None when unknown.

    `remote_address` is the far end's own address, or its NAT's; None when it stands behind a TURN server, or may do so
    (`farend.py`).
    """

    local: CandidateType | None
    remote: CandidateType | None
    round_trip: float | None
    bytes_sent: int
    bytes_received: int
    remote_address: IPv4Address | IPv6Address | None = field(default=None, repr=False)


def above_max_message(message: bytes) -> ValueError:
    """What `Link.send` raises, for a fault of its caller."""
    return ValueError(f"a message of {len(message)} bytes is above max_message")


class Link(Protocol):
    """An open link. All calls are made on the event loop's thread."""

    @property
    def offerer(self) -> bool:
        """Whether our end made the offer."""
        ...

    @property
    def high_water(self) -> int:
        """Bytes of buffered_amount above which nothing more should be sent."""
        ...

    @property
    def buffered_amount(self) -> int:
        """Bytes handed to send() that have not left for the network."""
        ...

    @property
    def overruns(self) -> bool:
        """Whether it sends ever more until a queue on the path overflows, and recovers badly: hold it back."""
        ...

    def start(
        self, receive: Callable[[bytes], None], writable: Callable[[], None], lost: Callable[[str], None]
    ) -> None:
        """Begin delivery; called once. What arrived before is delivered first.

        `writable` is called whenever buffered_amount has fallen to half of high_water or below. `lost` is called
        exactly once when the link ends for whatever reason but our own close(), with words that hold no address.
        """
        ...

    def send(self, message: bytes) -> None:
        """Queue one message. Never blocks; the caller respects high_water. Does nothing once the link has ended.

        Raises ValueError above `EngineConfig.max_message`.
        """
        ...

    def flush(self) -> None:
        """Let what was sent leave at once instead of in the loop's next turn, as far as the network takes it."""
        ...

    def path(self) -> PathInfo:
        """Statistics of the path in use."""
        ...

    async def close(self) -> None:
        """End the link and free its sockets and tasks. Idempotent.

        What was sent before leaves first, for at most `EngineConfig.linger` seconds. The far end's `lost` is called.
        """
        ...


class PendingOffer(Protocol):
    """An offer that waits for its answer. Its NAT mapping is kept alive."""

    @property
    def description(self) -> Description:
        """What to encode into the code now; it changes when the mapping moves."""
        ...

    @property
    def symmetric_nat(self) -> bool | None:
        """Whether our NAT gives each destination another address, so that few can reach us. None: unknown."""
        ...

    def on_moved(self, callback: Callable[[Description], None]) -> None:
        """Call back when a server-reflexive address changed, so that the code already given away is stale."""
        ...

    async def accept(self, answer: Description) -> Link:
        """Take the answer and connect. Raises ConnectError; the offer is spent either way."""
        ...

    async def close(self) -> None:
        """Give up waiting and free the sockets. Idempotent."""
        ...


class PendingAnswer(Protocol):
    """An answer on its way back to the offerer, by hand. Keeps checking meanwhile."""

    @property
    def description(self) -> Description:
        """What to encode into the answer's code."""
        ...

    @property
    def symmetric_nat(self) -> bool | None:
        """As for a pending offer."""
        ...

    async def connected(self) -> Link:
        """Wait for the offerer. Raises ConnectError after `LinkConfig.answer_lifetime`."""
        ...

    async def close(self) -> None:
        """Give up and free the sockets. Idempotent."""
        ...


class Engine(Protocol):
    """A maker of links."""

    @property
    def name(self) -> str:
        """As in `--engine`."""
        ...

    async def offer(self, settings: LinkSettings) -> PendingOffer:
        """Gather candidates and make an offer. Raises GatheringError."""
        ...

    async def answer(self, settings: LinkSettings, offer: Description) -> PendingAnswer:
        """Gather candidates, answer an offer, and begin checking. Raises GatheringError or ConnectError."""
        ...
