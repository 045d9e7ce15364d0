"""Meeting by hand: two people carry an offer and an answer between two programs, as codes.

::

    offerer                                   answerer
    invite():  make an offer, show its code -->  reply():  read it, make an answer, show its code and the words
               read the answer's code       <--
    Invitation.connect(): the words              wait for the offerer
               ---------------- the link opens ----------------

A code that cannot be used is said and another is read: a slip of the clipboard never ends a meeting.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from mayfly.errors import CodeError, GatheringError
from mayfly.runtime.event import sentence
from mayfly.runtime.events import CodeReader, CodeReady, Event, Reporter, Warned, Words
from mayfly.signaling.codes import Code, parse
from mayfly.signaling.description import Description, Kind
from mayfly.signaling.disclosure import disclosed_types, stays_on_local_network
from mayfly.signaling.words import verification_words
from mayfly.transport.base import Engine, Link, LinkSettings, PendingOffer
from mayfly.transport.engines import missed_by_native

SEND_INSTEAD = "Here is a new one; send it instead."
"""What to do with a code that takes the place of one that is no good any more."""

NO_CODE_NOW = "A new code is shown as soon as one can be made."
"""What becomes of a meeting whose network is away."""

AGAIN = 5.0
"""Seconds between two tries to make a further offer while there is no network."""

NO_PUBLIC_ADDRESS = Warned(
    "gather",
    "No STUN server has told a public address, so this code holds addresses of the local network alone.",
    "Within one network that will do. Else try another server with --stun, or a TURN server with --turn.",
)
"""Told once in a meeting: an outage of the network would otherwise be told with each code."""


@dataclass(frozen=True, slots=True)
class Met:
    """An open link, and the words that both people see."""

    link: Link
    words: tuple[str, ...]


class Invitation:
    """An offer with its answer. `connect` is the last step; it may run while the next offer is made."""

    def __init__(self, pending: PendingOffer, offer: Code, answer: Code) -> None:
        self._pending = pending
        self._offer = offer
        self._answer = answer

    async def connect(self) -> Met:
        """Open the link. Raises ConnectError."""
        try:
            words = await asyncio.to_thread(verification_words, self._offer, self._answer)
            return Met(await self._pending.accept(self._answer.description), words)
        finally:
            await self._pending.close()  # of an accepted offer nothing is left to close

    async def close(self) -> None:
        """Give it up instead."""
        await self._pending.close()


class Meeting:
    """One program's way to meet others.

    `clock` gives UNIX seconds; no code is good beyond `deadline` on it. `on_description` is told each description of
    ours.
    """

    def __init__(
        self,
        engine: Engine,
        settings: LinkSettings,
        reporter: Reporter,
        codes: CodeReader,
        *,
        clock: Callable[[], float] = time.time,
        deadline: float = math.inf,
        on_description: Callable[[Description], None] = lambda _description: None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._reporter = reporter
        self._codes = codes
        self._clock = clock
        self._deadline = deadline
        self._on_description = on_description
        self._has_offered = False
        self._told = False
        missed = missed_by_native(engine.name, settings)
        if missed is not None:
            reporter.report(
                Warned(
                    "engine",
                    f"This run uses the engine aiortc, because wrtc has no {missed}.",
                    "To a censor it looks less like a browser. Leave the option out if you can.",
                )
            )

    async def meet(self, offer: str | None) -> Met:
        """Answer this offer, or make one and have it answered. Raises as `reply` and `invite` do, and ConnectError."""
        if offer is not None:
            return await self.reply(offer)
        invitation = await self.invite()
        return await invitation.connect()

    async def invite(self) -> Invitation:
        """Make offers, one after the other as they expire, until one is answered.

        Raises GatheringError where the first offer of this meeting cannot be made, and EOFError when no answer can
        come any more.
        """
        while True:
            pending = await self._offer()
            try:
                invitation = await self._wait_for_answer(pending)
            except BaseException:
                await pending.close()
                raise
            if invitation is not None:
                return invitation
            await pending.close()

    async def reply(self, text: str | None) -> Met:
        """Answer an offer: the given one, or the first usable one that is read. Waits for the offerer.

        Raises CodeError for a given code that cannot be used, GatheringError, ConnectError, and EOFError.
        """
        offer = await self._read_offer() if text is None else self._parse(text, Kind.OFFER)
        pending = await self._engine.answer(self._settings, offer.description)
        try:
            lifetime = self._settings.config.answer_lifetime
            answer = Code(pending.description, self._expiry(lifetime), offer.digest)
            self._show(answer)
            words = await asyncio.to_thread(verification_words, offer, answer)
            self._reporter.report(Words(words))
            return Met(await pending.connected(), words)
        finally:
            await pending.close()

    async def _offer(self) -> PendingOffer:
        """An offer. Once there has been one the settings are good, and only the network, or room for sockets, may be
        away for a while: that is waited for, because a relay still has its other clients. Raises GatheringError."""
        told = False
        while True:
            try:
                pending = await self._engine.offer(self._settings)
            except GatheringError as error:
                if not self._has_offered:
                    raise
                if not told:
                    self._reporter.report(Warned(error.stage, sentence(error.message), NO_CODE_NOW))
                    told = True
                await asyncio.sleep(AGAIN)
            else:
                self._has_offered = True
                return pending

    async def _wait_for_answer(self, pending: PendingOffer) -> Invitation | None:
        """The answer to this offer, or None when the offer has expired."""
        issued: list[Code] = []
        moved: asyncio.Queue[Description] = asyncio.Queue()
        pending.on_moved(moved.put_nowait)
        lifetime = self._settings.config.offer_lifetime

        def issue(description: Description) -> None:
            issued.append(Code(description, self._expiry(lifetime)))
            self._show(issued[-1])

        async def show_moves() -> None:
            while True:
                description = await moved.get()
                self._reporter.report(
                    Warned(
                        "code",
                        "The code may be no good any more: the public address of this computer has changed.",
                        SEND_INSTEAD,
                    )
                )
                issue(description)

        issue(pending.description)
        showing = asyncio.get_running_loop().create_task(show_moves())
        try:
            async with asyncio.timeout(lifetime):
                while True:
                    answer = self._usable(await self._codes.read(Kind.ANSWER), Kind.ANSWER, issued)
                    if answer is not None:
                        offer = next(code for code in issued if code.digest == answer.offer)
                        return Invitation(pending, offer, answer)
        except TimeoutError:
            self._reporter.report(Warned("code", "The code was not answered in time.", SEND_INSTEAD))
            return None
        finally:
            showing.cancel()

    async def _read_offer(self) -> Code:
        while True:
            offer = self._usable(await self._codes.read(Kind.OFFER), Kind.OFFER, ())
            if offer is not None:
                return offer

    def _usable(self, text: str, wanted: Kind, offers: list[Code] | tuple[()]) -> Code | None:
        try:
            return self._parse(text, wanted, offers)
        except CodeError as error:
            self._reporter.report(Warned.of(error))
            return None

    def _parse(self, text: str, wanted: Kind, offers: list[Code] | tuple[()] = ()) -> Code:
        return parse(text, wanted=wanted, now=self._clock(), offers=offers)

    def _expiry(self, lifetime: float) -> int:
        return math.ceil(min(self._clock() + lifetime, self._deadline))

    def _show(self, code: Code) -> None:
        self._on_description(code.description)
        asked = self._settings.stun and self._settings.ip_policy.asks_stun
        if asked and not self._told and stays_on_local_network(code.description):
            self._told = True
            self._reporter.report(NO_PUBLIC_ADDRESS)
        event: Event = CodeReady(
            kind=code.description.kind.value,
            code=code.text,
            expires=code.expires,
            discloses=tuple(disclosed_types(code.description)),
            role=code.description.setup.value,
        )
        self._reporter.report(event)
