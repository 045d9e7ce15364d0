"""The five layers of one link put together, brought up in order, and taken down in reverse."""

# The gatherer of aiortc makes its own connection; handing it ours is the one private thing this file does.
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib

from aioice import Candidate as IceCandidate
from aioice.candidate import candidate_priority
from aiortc.rtcdtlstransport import RTCCertificate
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceParameters, RTCIceTransport

from mayfly.errors import ConnectError
from mayfly.signaling.description import Candidate, Description, Kind, Setup
from mayfly.transport.aiortc.dtls import LinkDtls, StockDtls, fingerprint_of, fingerprint_parameters
from mayfly.transport.aiortc.gather import disclosed, gather
from mayfly.transport.aiortc.ice import LinkConnection
from mayfly.transport.aiortc.link import AiortcLink
from mayfly.transport.aiortc.stun import StunMappings
from mayfly.transport.base import LinkSettings
from mayfly.transport.connecting import deadline_of_the_rest, no_path, no_progress, refused, wrong_certificate


class _Gatherer(RTCIceGatherer):
    def __init__(self, connection: LinkConnection) -> None:
        super().__init__(iceServers=[])
        self._connection = connection


class Assembly:
    """One link from its first socket to its last."""

    def __init__(self, settings: LinkSettings, *, offerer: bool, stock: bool = False) -> None:
        self._settings = settings
        self._offerer = offerer
        self._certificate = RTCCertificate.generateCertificate()
        self._connection = LinkConnection(
            controlling=offerer,
            policy=settings.ip_policy,
            config=settings.config,
            limits=settings.engine,
            stock=stock,
        )
        self._ice = RTCIceTransport(_Gatherer(self._connection))
        self._stun = StunMappings(settings.stun, settings.config.stun_timeout)
        self._dtls: StockDtls | None = None
        self._link: AiortcLink | None = None
        self._closing = asyncio.Lock()

    async def gather(self) -> None:
        """Open our addresses. Raises GatheringError, or UsageError for a server that cannot be read."""
        await gather(self._connection, self._stun, self._settings)

    def describe(self, kind: Kind, setup: Setup) -> Description:
        """What the far end has to know, as of now."""
        return Description(
            kind=kind,
            setup=setup,
            fingerprint=fingerprint_of(self._certificate),
            ufrag=self._connection.local_username,
            password=self._connection.local_password,
            candidates=disclosed(self._connection, self._stun, self._settings),
        )

    @property
    def symmetric(self) -> bool | None:
        """Whether our NAT maps by destination."""
        return self._stun.symmetric

    async def keep_alive(self) -> bool:
        """Send what holds our mappings and the way to the far end open. True when a mapping has moved."""
        self._connection.hold_open()
        return await self._stun.refresh()

    async def establish(self, remote: Description, *, client: bool, patience: float) -> AiortcLink:
        """Connect. ICE may take `patience` seconds, all of it `connect_timeout` more than the rest of that.

        Raises ConnectError with the stage that failed.
        """
        brief = self._settings.config.connect_timeout
        loop = asyncio.get_running_loop()
        begin = loop.time()
        try:
            async with asyncio.timeout(patience):
                await self._find_path(remote)
        except TimeoutError:
            raise self._no_path() from None
        deadline = deadline_of_the_rest(begin, patience, brief, loop.time())
        stage = "handshake"
        try:
            async with asyncio.timeout_at(deadline):
                dtls = await self._shake_hands(remote, client=client)
                stage = "channel"
                link = AiortcLink(
                    self._connection,
                    dtls,
                    self._settings,
                    offerer=self._offerer,
                    code=remote.candidates,
                    free=self.close,
                )
                self._link = link
                problem = await link.open()
        except TimeoutError:
            raise no_progress(stage) from None
        if problem is not None:
            raise refused(problem, stage)
        return link

    async def close(self) -> None:
        """Take everything down, each layer telling its opposite. Idempotent."""
        async with self._closing:
            if self._link is not None:
                await self._link.stop_sctp()
            if self._dtls is not None:
                await self._dtls.stop()
            await self._ice.stop()

    async def _find_path(self, remote: Description) -> None:
        candidates = remote.candidates[: self._settings.config.max_candidates]
        async with asyncio.TaskGroup() as group:
            for index, candidate in enumerate(candidates):
                group.create_task(self._add(_for_aioice(candidate, index)))
        await self._ice.start(RTCIceParameters(usernameFragment=remote.ufrag, password=remote.password))
        if self._ice.state != "completed":
            raise self._no_path()

    async def _add(self, candidate: IceCandidate) -> None:
        # Only an mDNS name waits here, and only it can fail: where port 5353 cannot be used.
        with contextlib.suppress(OSError):
            await self._connection.add_remote_candidate(candidate)

    async def _shake_hands(self, remote: Description, *, client: bool) -> StockDtls:
        if self._connection.stock:
            dtls = StockDtls(self._ice, self._certificate, client=client)
        else:
            dtls = LinkDtls(self._ice, self._connection, self._certificate, client=client)
        self._dtls = dtls
        await dtls.start(fingerprint_parameters(remote.fingerprint))
        if dtls.mismatch:
            raise wrong_certificate()
        if not dtls.connected:
            raise ConnectError(
                "the two computers reach each other, but the encrypted handshake failed (DTLS)",
                hint="exchange new codes; where the handshake is blocked, try --dtls-role on either side",
                stage="handshake",
            )
        return dtls

    def _no_path(self) -> ConnectError:
        return no_path(offerer=self._offerer, symmetric=self._stun.symmetric)


def _for_aioice(candidate: Candidate, index: int) -> IceCandidate:
    kind = candidate.type.value
    return IceCandidate(
        # Codes carry no priorities: the order in which candidates of a type stand there is their preference.
        foundation=str(index),
        component=1,
        transport="udp",
        priority=candidate_priority(1, kind, 65535 - index),
        host=str(candidate.address),
        port=candidate.port,
        type=kind,
    )
