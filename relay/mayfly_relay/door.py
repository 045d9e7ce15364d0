"""How clients come to a relay: by codes that people carry, by a short code at a broker, or from a broker's pool."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Protocol

from mayfly.config import RendezvousConfig
from mayfly.rendezvous.messages import About, PortClass, Upstream
from mayfly.rendezvous.ports import served
from mayfly.runtime.broker.answering import Answerer
from mayfly.runtime.broker.brokers import Brokers
from mayfly.runtime.broker.friendhost import FriendHost
from mayfly.runtime.broker.options import BrokerOptions
from mayfly.runtime.broker.poolhost import PoolHost
from mayfly.runtime.events import Reporter
from mayfly.runtime.meeting import Invitation, Meeting, Met
from mayfly.signaling.description import Description
from mayfly.transport.base import Engine
from mayfly.wire.hello import Upstream as Kind
from mayfly_relay.options import RelayOptions
from mayfly_relay.upstream_urls import UpstreamChoice


class Arriving(Protocol):
    """A client whose link is in the making."""

    async def connect(self) -> Met:
        """Wait for the link. Raises ConnectError."""
        ...


class Door(Protocol):
    """Where clients come in, one after the other."""

    async def invite(self) -> Arriving:
        """Wait for the next client. Raises GatheringError, and EOFError when none can come any more."""
        ...

    def freed(self) -> None:
        """A client that came in has left."""
        ...


class CodeDoor:
    """Codes that people carry."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting

    async def invite(self) -> Invitation:
        """Show an offer until it is answered."""
        return await self._meeting.invite()

    def freed(self) -> None:
        """The next code is made when it is asked for."""


@contextlib.asynccontextmanager
async def broker_door(
    broker: BrokerOptions,
    options: RelayOptions,
    engine: Engine,
    reporter: Reporter,
    *,
    remaining: Callable[[], float],
    on_description: Callable[[Description], None],
) -> AsyncGenerator[Door]:
    """A broker's door. `remaining()` gives the seconds that the relay still stays."""
    async with Brokers(broker) as brokers:
        answerer = Answerer(engine, options.link, brokers.config, on_description)
        door: PoolHost | FriendHost
        if options.public:
            serves = served(options.policy.serves)
            about = partial(_about, _upstream(options.upstream), answerer, serves, remaining)
            door = PoolHost(brokers, answerer, reporter, options.limits.max_clients, about)
        else:
            door = FriendHost(brokers, answerer, reporter, remaining)
        try:
            yield door
        finally:
            await door.aclose()


def _about(
    upstream: Upstream,
    answerer: Answerer,
    serves: tuple[PortClass, ...],
    remaining: Callable[[], float],
    load: float,
) -> About:
    return About(
        upstream=upstream,
        nat=answerer.nat,
        serves=serves,
        remaining=min(remaining(), RendezvousConfig().max_lifetime),
        load=load,
    )


def _upstream(choice: UpstreamChoice) -> Upstream:
    """What a broker is told of the way out."""
    match choice.kind:
        case Kind.PROXY:
            return "http" if choice.proxies[0].protocol.value == "http" else "socks"
        case Kind.TOR:
            return "tor"
        case Kind.BRIDGE:
            return "bridge"
        case _:
            return "direct"
