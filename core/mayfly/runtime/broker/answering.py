"""What a relay does with an offer that it has opened, whoever it came from: make the answer, and wait for the link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from mayfly.errors import ForgedError
from mayfly.meetconfig import MeetingConfig
from mayfly.rendezvous import nat, offers
from mayfly.rendezvous.messages import Nat
from mayfly.runtime.meeting import Met
from mayfly.signaling.codes import Code
from mayfly.signaling.description import Description
from mayfly.signaling.words import verification_words
from mayfly.transport.base import Engine, LinkSettings, PendingAnswer, PendingOffer


class Coming:
    """A client that has our answer, or is about to get it. `connect` once, or `close`."""

    def __init__(self, pending: PendingAnswer, offer: Code, answer: Code) -> None:
        self._pending = pending
        self._offer = offer
        self.answer = answer

    async def connect(self) -> Met:
        """Wait for the link. Raises ConnectError."""
        words = asyncio.get_running_loop().create_task(asyncio.to_thread(verification_words, self._offer, self.answer))
        try:
            return Met(await self._pending.connected(), await words)
        finally:
            words.cancel()
            await self._pending.close()

    async def close(self) -> None:
        """Give up. Idempotent."""
        await self._pending.close()


class Answerer:
    """Makes answers. `on_description` is told each of them: its addresses are the relay's own."""

    def __init__(
        self,
        engine: Engine,
        settings: LinkSettings,
        config: MeetingConfig,
        on_description: Callable[[Description], None] = lambda _description: None,
    ) -> None:
        self._engine = engine
        self._settings = replace(settings, config=replace(settings.config, answer_lifetime=config.connect_link))
        self._on_description = on_description
        self.nat: Nat = "unknown"
        """What our own answers have shown of the NAT that we are behind."""

    async def look(self) -> None:
        """Find out about our NAT before the first offer comes. Raises GatheringError."""
        pending = await self._engine.offer(self._settings)
        try:
            self._learn(pending)
        finally:
            await pending.close()

    async def answer(self, body: bytes) -> Coming:
        """Answer an offer. Raises ForgedError for what is none, GatheringError and ConnectError."""
        try:
            offer = offers.read_offer(body)
        except offers.OfferError as error:
            raise ForgedError from error
        pending = await self._engine.answer(self._settings, offer.description)
        self._learn(pending)
        return Coming(pending, offer, offers.answer(pending.description, offer))

    def _learn(self, pending: PendingOffer | PendingAnswer) -> None:
        self._on_description(pending.description)
        self.nat = nat.kind(pending.description, pending.symmetric_nat)
