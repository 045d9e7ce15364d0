"""The way in: offers, answers, and what keeps them alive while a person carries a code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mayfly.errors import ConnectError
from mayfly.signaling.description import Description, Kind, Setup
from mayfly.transport.aiortc.assembly import Assembly
from mayfly.transport.aiortc.link import AiortcLink
from mayfly.transport.base import LinkSettings
from mayfly.transport.connecting import Answering, offer_spent
from mayfly.transport.roles import answered_setup, offered_setup, offerer_is_client


class _Keepalive:
    """Holds NAT mappings open until stopped."""

    def __init__(self, assembly: Assembly, interval: float, moved: Callable[[], None]) -> None:
        self._assembly = assembly
        self._interval = interval
        self._moved = moved
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.result()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            if await self._assembly.keep_alive():
                self._moved()


class AiortcPendingOffer:
    """Fulfils `base.PendingOffer`."""

    def __init__(self, assembly: Assembly, setup: Setup, settings: LinkSettings) -> None:
        self._assembly = assembly
        self._setup = setup
        self._settings = settings
        self._callbacks: list[Callable[[Description], None]] = []
        self._keepalive = _Keepalive(assembly, settings.config.keepalive_interval, self._moved)
        self._description = assembly.describe(Kind.OFFER, setup)
        self._spent = False

    @property
    def description(self) -> Description:
        """What to encode into the code now."""
        return self._description

    @property
    def symmetric_nat(self) -> bool | None:
        """Whether two STUN servers see the same socket at different addresses; None while unknown."""
        return self._assembly.symmetric

    def on_moved(self, callback: Callable[[Description], None]) -> None:
        """Call back when a server-reflexive address has changed."""
        self._callbacks.append(callback)

    async def accept(self, answer: Description) -> AiortcLink:
        """Take the answer and connect. Raises ConnectError; the offer is spent either way."""
        if self._spent:
            raise offer_spent()
        self._spent = True
        try:
            client = offerer_is_client(answer.setup)
            await self._keepalive.stop()
            return await self._assembly.establish(answer, client=client, patience=self._settings.config.connect_timeout)
        except BaseException:
            await self._keepalive.stop()
            await self._assembly.close()
            raise

    async def close(self) -> None:
        """Give up waiting and free the sockets. Does nothing once accept() was called."""
        if not self._spent:
            self._spent = True
            await self._keepalive.stop()
            await self._assembly.close()

    def _moved(self) -> None:
        self._description = self._assembly.describe(Kind.OFFER, self._setup)
        for callback in self._callbacks:
            # Not from inside the keepalive, which a callback that raises would end.
            asyncio.get_running_loop().call_soon(callback, self._description)


class AiortcPendingAnswer(Answering[AiortcLink]):
    """Fulfils `base.PendingAnswer`. Checks from the start."""

    def __init__(self, assembly: Assembly, setup: Setup, offer: Description, settings: LinkSettings) -> None:
        self._assembly = assembly
        self._settings = settings
        description = assembly.describe(Kind.ANSWER, setup)
        super().__init__(description, self._meet(offer, client=setup is Setup.ACTIVE), assembly.close)

    @property
    def symmetric_nat(self) -> bool | None:
        """As for a pending offer."""
        return self._assembly.symmetric

    async def _meet(self, offer: Description, *, client: bool) -> AiortcLink:
        keepalive = _Keepalive(self._assembly, self._settings.config.keepalive_interval, lambda: None)
        try:
            return await self._assembly.establish(offer, client=client, patience=self._settings.config.answer_lifetime)
        except ConnectError:
            await self._assembly.close()
            raise
        finally:
            await keepalive.stop()


class AiortcEngine:
    """Fulfils `base.Engine`. The stock one leaves SCTP, DTLS and sockets to aiortc and aioice: the reference."""

    def __init__(self, *, stock: bool = False) -> None:
        self._stock = stock

    @property
    def name(self) -> str:
        """As in `--engine`."""
        return "aiortc-stock" if self._stock else "aiortc"

    async def offer(self, settings: LinkSettings) -> AiortcPendingOffer:
        """Gather candidates and make an offer. Raises GatheringError."""
        assembly = await _gathered(settings, offerer=True, stock=self._stock)
        return AiortcPendingOffer(assembly, offered_setup(settings.dtls_role), settings)

    async def answer(self, settings: LinkSettings, offer: Description) -> AiortcPendingAnswer:
        """Gather candidates, answer an offer, and begin checking.

        Raises GatheringError, or ConnectError where both ends insist on one DTLS role.
        """
        setup = answered_setup(settings.dtls_role, offer.setup, left_to_us=Setup.PASSIVE)
        assembly = await _gathered(settings, offerer=False, stock=self._stock)
        return AiortcPendingAnswer(assembly, setup, offer, settings)


async def _gathered(settings: LinkSettings, *, offerer: bool, stock: bool) -> Assembly:
    assembly = Assembly(settings, offerer=offerer, stock=stock)
    try:
        await assembly.gather()
    except BaseException:
        await assembly.close()
        raise
    return assembly
