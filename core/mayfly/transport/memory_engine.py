"""An engine whose links are `memory_links`: whole programs are tested on it, codes included, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from random import Random

from mayfly.errors import ConnectError
from mayfly.signaling.description import Candidate, CandidateType, Description, Kind, Setup
from mayfly.transport.base import LinkSettings
from mayfly.transport.connecting import no_address, offer_spent, wrong_certificate
from mayfly.transport.memory import MemoryLink, MemoryPath, memory_links
from mayfly.transport.roles import answered_setup, offered_setup, offerer_is_client

_NO_PATH = "no path between the two was found"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(slots=True)
class MemoryNetwork:
    """What the engines of one test share: who waits, and every link that was made (offerer's end, answerer's end).

    `path` may be replaced before the next link; `gathers` False makes gathering fail.
    """

    path: MemoryPath = field(default_factory=MemoryPath)
    random: Random = field(default_factory=lambda: Random(0))  # noqa: S311 - nothing here is a secret
    gathers: bool = True
    links: list[tuple[MemoryLink, MemoryLink]] = field(default_factory=list[tuple[MemoryLink, MemoryLink]])
    offers: list[MemoryPendingOffer] = field(default_factory=list["MemoryPendingOffer"])
    answers: dict[str, MemoryPendingAnswer] = field(default_factory=dict[str, "MemoryPendingAnswer"])

    def describe(self, kind: Kind, setup: Setup, settings: LinkSettings) -> Description:
        """A new description. Raises GatheringError when `gathers` is off."""
        if not self.gathers:
            raise no_address("check the network and --bind")
        addresses = settings.bind or (IPv4Address("127.0.0.1"),)
        port = self.random.randrange(1024, 65536)
        return Description(
            kind=kind,
            setup=setup,
            fingerprint=self.random.randbytes(32),
            ufrag="".join(self.random.choices(_LETTERS, k=4)),
            password="".join(self.random.choices(_LETTERS, k=22)),
            candidates=tuple(Candidate(CandidateType.HOST, address, port) for address in addresses),
        )


class MemoryPendingOffer:
    """Fulfils `base.PendingOffer`."""

    def __init__(self, network: MemoryNetwork, description: Description) -> None:
        self._network = network
        self._description = description
        self._callbacks: list[Callable[[Description], None]] = []
        self.spent = False

    @property
    def description(self) -> Description:
        """What to encode into the code now."""
        return self._description

    @property
    def symmetric_nat(self) -> bool | None:
        """Unknown: there is no NAT in memory."""
        return None

    def on_moved(self, callback: Callable[[Description], None]) -> None:
        """Call back when `move()` is called."""
        self._callbacks.append(callback)

    def move(self) -> None:
        """For tests: the mapping moved to another port."""
        moved = tuple(replace(candidate, port=candidate.port ^ 1) for candidate in self._description.candidates)
        self._description = replace(self._description, candidates=moved)
        for callback in self._callbacks:
            callback(self._description)

    async def accept(self, answer: Description) -> MemoryLink:
        """Connect with the pending answer of that description. Raises ConnectError, at once, where there is none."""
        if self.spent:
            raise offer_spent()
        self.spent = True
        offerer_is_client(answer.setup)
        pending = self._network.answers.pop(answer.ufrag, None)
        if pending is None or pending.done or pending.offer.ufrag != self._description.ufrag:
            raise ConnectError(_NO_PATH, hint="ask the other side for a new answer")
        if pending.description.fingerprint != answer.fingerprint:
            raise wrong_certificate()
        ends = memory_links(self._network.path, random=self._network.random)
        self._network.links.append(ends)
        pending.connect(ends[1])
        return ends[0]

    async def close(self) -> None:
        """Give up waiting."""
        self.spent = True


class MemoryPendingAnswer:
    """Fulfils `base.PendingAnswer`."""

    def __init__(
        self, network: MemoryNetwork, description: Description, offer: Description, settings: LinkSettings
    ) -> None:
        self._network = network
        self._description = description
        self._settings = settings
        self._link: asyncio.Future[MemoryLink | None] = asyncio.get_running_loop().create_future()
        self._taken = False
        self.offer = offer

    @property
    def description(self) -> Description:
        """What to encode into the answer's code."""
        return self._description

    @property
    def symmetric_nat(self) -> bool | None:
        """Unknown: there is no NAT in memory."""
        return None

    @property
    def done(self) -> bool:
        """Whether it has connected or was given up."""
        return self._link.done()

    def connect(self, link: MemoryLink) -> None:
        """Called by the offerer."""
        self._link.set_result(link)

    async def connected(self) -> MemoryLink:
        """Wait for the offerer. Raises ConnectError after `LinkConfig.answer_lifetime`, or once closed."""
        try:
            async with asyncio.timeout(self._settings.config.answer_lifetime):
                link = await asyncio.shield(self._link)
        except TimeoutError:
            await self.close()
            link = None
        if link is None:
            raise ConnectError(_NO_PATH, hint="exchange new codes")
        self._taken = True
        return link

    async def close(self) -> None:
        """Give up. Does nothing once connected() has returned a link."""
        self._network.answers.pop(self._description.ufrag, None)
        if not self._link.done():
            self._link.set_result(None)
        elif not self._taken and (link := self._link.result()) is not None:
            await link.close()


class MemoryEngine:
    """Fulfils `base.Engine`. Ends meet when their engines share a network."""

    name = "memory"

    def __init__(self, network: MemoryNetwork | None = None) -> None:
        self.network = network or MemoryNetwork()

    async def offer(self, settings: LinkSettings) -> MemoryPendingOffer:
        """Make an offer. Raises GatheringError when the network says so."""
        pending = MemoryPendingOffer(
            self.network, self.network.describe(Kind.OFFER, offered_setup(settings.dtls_role), settings)
        )
        self.network.offers.append(pending)
        return pending

    async def answer(self, settings: LinkSettings, offer: Description) -> MemoryPendingAnswer:
        """Answer an offer. Raises GatheringError, or ConnectError where the DTLS roles cannot fit."""
        setup = answered_setup(settings.dtls_role, offer.setup)
        description = self.network.describe(Kind.ANSWER, setup, settings)
        pending = MemoryPendingAnswer(self.network, description, offer, settings)
        self.network.answers[description.ufrag] = pending
        return pending
