"""Which brokers to use, and how to reach them."""

from __future__ import annotations

from dataclasses import dataclass, field

from mayfly.meetconfig import MeetingConfig
from mayfly.rendezvous.address import BrokerAddress
from mayfly.rendezvous.messages import PortClass, Upstream


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks of a relay of the pool; None is whatever there is."""

    upstream: Upstream | None = None
    serves: PortClass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOptions:
    """What the user chose."""

    brokers: tuple[BrokerAddress, ...]
    """In the order in which they are tried; at least one."""

    proxy: str | None = None
    """`socks5://[USER:PASSWORD@]HOST:PORT` or `http://…`, through which all of them are reached."""

    front: str | None = None
    """HOST or HOST:PORT that is connected to and named in the SNI, while the Host header names the broker."""

    advice: str = "--broker can be given several times, and --broker-proxy or --broker-front may lead there."
    """What else the user may do where none can be reached, in the words of whatever named the brokers."""

    config: MeetingConfig = field(default_factory=MeetingConfig)

    def __post_init__(self) -> None:
        if not self.brokers:
            raise ValueError("at least one broker is needed")
