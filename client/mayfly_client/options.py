"""What the user chose for a client."""

from __future__ import annotations

from dataclasses import dataclass, field

from mayfly.meetconfig import PoolConfig
from mayfly.runtime.broker.options import BrokerOptions, Wish
from mayfly.services.options import HubOptions
from mayfly.transport.base import LinkSettings
from mayfly.transport.engines import AUTO
from mayfly_client.onion import OnionOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """Everything that `run_client` needs to know. Times are seconds."""

    link: LinkSettings
    code: str | None = None
    """The relay's offer, with or without prose around it; None makes an offer of our own. With a broker: a friend's
    short code, or None for a relay of the pool."""

    broker: BrokerOptions | None = None
    """Where to meet a relay, or None for codes that people carry."""

    onion: OnionOptions | None = None
    """A relay's onion service to meet it at, or None."""

    wish: Wish = field(default_factory=Wish)
    """What a relay of the pool should offer."""

    pool: PoolConfig = field(default_factory=PoolConfig)
    """How many relays of the pool are kept, and how."""

    socks: tuple[str, int] = ("127.0.0.1", 1080)
    """Where the local proxy listens: an address and a port; port 0 lets the system choose."""

    socks_auth: tuple[str, str] | None = None
    """The user and password that applications must show (RFC 1929); None lets any in."""

    again: bool = False
    """Whether to wait for another code of the relay when the link is lost, instead of ending."""

    grace: float = 30.0
    """How long open streams may go on after the first Ctrl-C."""

    hub: HubOptions = field(default_factory=HubOptions)
    """Chat, transfers and the control socket."""

    engine: str = AUTO
    """Which engine makes the link, as in `--engine`."""

    def __post_init__(self) -> None:
        if not 0 <= self.socks[1] <= 0xFFFF:
            raise ValueError("a port lies between 0 and 65535")
        if self.grace < 0:
            raise ValueError("grace is not negative")
