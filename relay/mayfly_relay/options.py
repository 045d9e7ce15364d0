"""What the volunteer chose, as the command hands it over."""

from __future__ import annotations

from dataclasses import dataclass, field

from mayfly.runtime.broker.options import BrokerOptions
from mayfly.services.options import HubOptions
from mayfly.tor.settings import TorSettings
from mayfly.transport.base import LinkSettings
from mayfly.transport.engines import AUTO
from mayfly_relay.addresses import Address
from mayfly_relay.extorport import CoarseAddress, ExtendedPort
from mayfly_relay.limits import RelayLimits
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.upstream_urls import UpstreamChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOptions:
    """One run of `mayfly relay`. Times are seconds."""

    code: str | None = None
    """A client's offer to answer, or None to make offers."""

    broker: BrokerOptions | None = None
    """Where to meet clients, or None for codes that people carry."""

    public: bool = False
    """Whether the broker may hand this relay to strangers. Otherwise it shows short codes for friends."""

    offer_onion: bool = False
    """Whether clients are met at an onion service."""

    link: LinkSettings = field(default_factory=LinkSettings)
    policy: ExitPolicy = field(default_factory=ExitPolicy)
    limits: RelayLimits = field(default_factory=RelayLimits)

    upstream: UpstreamChoice = field(default_factory=UpstreamChoice)
    """Where streams go."""

    extended_port: ExtendedPort | None = None
    """The extended ORPort of the bridge that is the upstream, or None for its ORPort."""

    told_of_clients: CoarseAddress | None = None
    """How much of a client's address the bridge is told there; None is nothing."""

    outbound: tuple[Address, ...] = ()
    """The addresses of ours that `direct` connects from, at most one of each family; empty leaves it to the system."""

    tor: TorSettings = field(default_factory=TorSettings)
    """Which tor, for the upstream `tor` and for an onion service."""

    tor_isolate_streams: bool = False
    """Whether each stream through tor has a circuit of its own, and not only each client."""

    lifetime: float = 3600.0
    """How long the relay stays before it drains."""

    grace: float = 30.0
    """How long open streams may take to finish once it drains."""

    hub: HubOptions = field(default_factory=HubOptions)
    """Chat, transfers and the control socket."""

    engine: str = AUTO
    unsafe_logging: bool = False
    """Whether logs may hold destinations and peer addresses."""
