"""The way in: offers and answers on libwebrtc, and what keeps them alive while a person carries a code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from mayfly.errors import ConnectError, UsageError
from mayfly.signaling.description import Description, Kind, Setup
from mayfly.transport.base import LinkSettings
from mayfly.transport.connecting import Answering, offer_spent
from mayfly.transport.roles import answered_setup, offered_setup, offerer_is_client
from mayfly.transport.wrtc.connection import NativeConnection
from mayfly.transport.wrtc.lacks import lacking
from mayfly.transport.wrtc.link import WrtcLink

_AIORTC_PASSWORD = 22
"""Characters of an ICE password of aiortc. Those of libwebrtc have 24, Firefox's 32."""


class WrtcPendingOffer:
    """Fulfils `base.PendingOffer`. libwebrtc itself asks the STUN servers again every ten seconds."""

    def __init__(self, connection: NativeConnection, setup: Setup, settings: LinkSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._description = connection.describe(Kind.OFFER, setup)
        self._spent = False

    @property
    def description(self) -> Description:
        """What to encode into the code."""
        return self._description

    @property
    def symmetric_nat(self) -> bool | None:
        """Whether two STUN servers see the same socket at different addresses; None while unknown."""
        return self._connection.symmetric

    def on_moved(self, callback: Callable[[Description], None]) -> None:
        """libwebrtc does not tell that a mapping has moved, so nobody is called back."""

    async def accept(self, answer: Description) -> WrtcLink:
        """Take the answer and connect. Raises ConnectError; the offer is spent either way."""
        if self._spent:
            raise offer_spent()
        self._spent = True
        try:
            offerer_is_client(answer.setup)
            link = WrtcLink(self._connection, self._settings, offerer=True)
            await self._connection.take(answer)
            await self._connection.check()
            await link.open(self._settings.config.connect_timeout)
            return link
        except BaseException:
            self._connection.close()
            raise

    async def close(self) -> None:
        """Give up waiting and free the sockets. Does nothing once accept() was called."""
        if not self._spent:
            self._spent = True
            self._connection.close()


class WrtcPendingAnswer(Answering[WrtcLink]):
    """Fulfils `base.PendingAnswer`. Checks from the start."""

    def __init__(self, connection: NativeConnection, setup: Setup, settings: LinkSettings) -> None:
        self._connection = connection
        self._settings = settings
        super().__init__(connection.describe(Kind.ANSWER, setup), self._meet(), self._free)

    @property
    def symmetric_nat(self) -> bool | None:
        """As for a pending offer."""
        return self._connection.symmetric

    async def _free(self) -> None:
        self._connection.close()

    async def _meet(self) -> WrtcLink:
        link = WrtcLink(self._connection, self._settings, offerer=False)
        holding = asyncio.get_running_loop().create_task(self._hold_open())
        try:
            await link.open(self._settings.config.answer_lifetime)
        except ConnectError:
            self._connection.close()
            raise
        finally:
            holding.cancel()
            await asyncio.wait({holding})
        return link

    async def _hold_open(self) -> None:
        while True:
            await asyncio.sleep(self._settings.config.keepalive_interval)
            await self._connection.check()


class WrtcEngine:
    """Fulfils `base.Engine`."""

    name = "wrtc"

    async def offer(self, settings: LinkSettings) -> WrtcPendingOffer:
        """Gather candidates and make an offer. Raises GatheringError, and UsageError for an option that it lacks."""
        connection = _connection(settings, offerer=True)
        try:
            await connection.gather()
            return WrtcPendingOffer(connection, offered_setup(settings.dtls_role, left_to_us=Setup.ACTIVE), settings)
        except BaseException:
            connection.close()
            raise

    async def answer(self, settings: LinkSettings, offer: Description) -> WrtcPendingAnswer:
        """Gather candidates, answer an offer, and begin checking.

        Raises GatheringError, UsageError for an option that this engine lacks, and ConnectError where both ends insist
        on one DTLS role.
        """
        setup = answered_setup(settings.dtls_role, offer.setup, left_to_us=_preferred(offer))
        connection = _connection(settings, offerer=False)
        try:
            # libwebrtc is active where an offer leaves it the choice. To be passive it has to see one that does not.
            await connection.take(replace(offer, setup=Setup.ACTIVE) if setup is Setup.PASSIVE else offer)
            await connection.gather()
            await connection.check()
            return WrtcPendingAnswer(connection, setup, settings)
        except BaseException:
            connection.close()
            raise


def _preferred(offer: Description) -> Setup:
    """Our DTLS role where an offer leaves it open: to send the ClientHello if the offerer's would not look like ours.

    A browser's looks like ours, so it may send it, which is better: it does so when it has the answer. A ClientHello
    of ours is on its way at once if the offerer answers our checks, and libwebrtc gives up repeating it after minutes,
    while a person still carries the answer. aiortc does not answer them before it has it.
    """
    return Setup.ACTIVE if len(offer.password) == _AIORTC_PASSWORD else Setup.PASSIVE


def _connection(settings: LinkSettings, *, offerer: bool) -> NativeConnection:
    option = lacking(settings)
    if option is not None:
        raise UsageError(
            f"the engine wrtc has no {option}",
            hint="leave the option out, or choose --engine aiortc (or auto, which then takes aiortc)",
        )
    return NativeConnection(settings, offerer=offerer)
