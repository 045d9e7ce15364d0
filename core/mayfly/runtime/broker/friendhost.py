"""The relay's side for a friend: a short code, until somebody comes who knows its words.

::

    post -> show the code -> right words: answered, the code is used up
                          -> wrong words: a try is burnt and said; after three, a new code
                          -> the broker has forgotten us: post again, with the same number if it is still free
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import replace

from mayfly.errors import BrokerDownError, BrokerRefusedError, ForgedError, LinkError, RendezvousError, WrongWordsError
from mayfly.rendezvous.envelope import Reason
from mayfly.rendezvous.friend import FriendRelay
from mayfly.rendezvous.messages import ErrorName, FriendPosting, PostingCreated
from mayfly.rendezvous.shortcode import ShortCode, make
from mayfly.runtime.broker.answering import Answerer, Coming
from mayfly.runtime.broker.brokers import Broker, Brokers
from mayfly.runtime.broker.persistence import Persistence
from mayfly.runtime.broker.posting import Conversation, Posting, standing
from mayfly.runtime.events import CodeReady, Reporter, Warned
from mayfly.runtime.meeting import SEND_INSTEAD
from mayfly.runtime.tasks import first_of

SHORT = "short"
"""The kind of a short code in the `code` event."""


class FriendHost:
    """Shows short codes. `lifetime()` gives the seconds for which a code shown now is good."""

    def __init__(self, brokers: Brokers, answerer: Answerer, reporter: Reporter, lifetime: Callable[[], float]) -> None:
        self._brokers = brokers
        self._answerer = answerer
        self._reporter = reporter
        self._lifetime = lifetime
        config = replace(brokers.config, max_backoff=brokers.config.friend_backoff)
        self._persistence = Persistence(reporter, config)

    async def invite(self) -> Coming:
        """Show codes, one after the other as they are burnt, until a friend has come. Raises nothing but for bugs."""
        shown: _Shown | None = None
        while True:
            try:
                broker, created = await self._post(None if shown is None else shown.code.nameplate)
            except (BrokerDownError, BrokerRefusedError) as error:
                await self._persistence.failed(error)
                continue
            self._persistence.worked()
            if created.nameplate is None:
                await self._persistence.failed(ForgedError())
                continue
            if shown is None or shown.code.nameplate != created.nameplate:
                shown = self._show(make(created.nameplate, secrets.token_bytes(2)), again=shown is not None)
            stand = Posting(self._brokers, broker, created, shown.talk, self._say)
            why: list[RendezvousError] = []
            try:
                await first_of(_run(stand, why), shown.settled.wait())
                if shown.coming is not None:
                    await stand.settle()
                    return shown.coming
            finally:
                await stand.aclose(leave=not why)
            shown = await self._after(shown, why[0] if why else None)

    async def _post(self, nameplate: str | None) -> tuple[Broker, PostingCreated]:
        posting = FriendPosting(version=1, lifetime=standing(self._lifetime()), nameplate=nameplate)
        return await self._brokers.first(lambda broker: broker.post(posting))

    async def aclose(self) -> None:
        """Nothing runs between two calls of invite."""

    def freed(self) -> None:
        """A client has left; the next code is shown when it is asked for."""

    def _show(self, code: ShortCode, *, again: bool) -> _Shown:
        if again:
            self._warn("The broker has forgotten the code.", SEND_INSTEAD)
        expires = int(time.time() + self._lifetime())
        self._reporter.report(CodeReady(kind=SHORT, code=code.text, expires=expires, discloses=(), role=""))
        return _Shown(code, self._answerer, self._brokers.config.tries, self._warn)

    async def _after(self, shown: _Shown, why: RendezvousError | None) -> _Shown | None:
        """What is still shown once its posting is over, if anything."""
        burnt = isinstance(why, BrokerRefusedError) and why.code in (ErrorName.BURNED, ErrorName.USED)
        if burnt or shown.tries == 0:
            self._warn("The code was tried too often without the right words, and is burnt.", "Here is a new one.")
            return None
        if why is not None:
            await self._persistence.failed(why)
        return shown

    def _say(self, error: RendezvousError) -> None:
        self._reporter.report(Warned.of(error))

    def _warn(self, message: str, hint: str = "") -> None:
        self._reporter.report(Warned("broker", message, hint))


class _Shown:
    """One code, with the tries that are left and what came of it."""

    def __init__(self, code: ShortCode, answerer: Answerer, tries: int, warn: Callable[[str, str], None]) -> None:
        self.code = code
        self.tries = tries
        self.coming: Coming | None = None
        self.settled = asyncio.Event()
        self._answerer = answerer
        self._warn = warn

    async def talk(self, talk: Conversation) -> None:
        """Serve one who has come to this code."""
        if self.settled.is_set():
            await talk.refuse(Reason.LEAVING)
            return
        relay = FriendRelay(self.code, await talk.hear(), secrets.token_bytes)
        await talk.say(relay.reply)
        try:
            body = relay.open(await talk.hear())
            coming = await self._answerer.answer(body)
        except WrongWordsError:
            self._burn()
            await talk.refuse(Reason.WRONG_WORDS, "wrong-word")
            if self.tries == 0:
                self.settled.set()
        except ForgedError:
            await talk.refuse(Reason.UNREADABLE)
        except LinkError as error:
            self._warn(error.message, error.hint)
            await talk.refuse(Reason.NO_ADDRESS)
        else:
            await self._admit(talk, relay, coming)

    async def _admit(self, talk: Conversation, relay: FriendRelay, coming: Coming) -> None:
        await talk.answer(relay.seal, coming)
        self.coming = coming  # from here on the code is used up, whatever becomes of the link
        self.settled.set()
        await talk.end("done")

    def _burn(self) -> None:
        self.tries -= 1
        left = "no try is" if self.tries == 0 else "one try is" if self.tries == 1 else f"{self.tries} tries are"
        self._warn(f"Somebody came with wrong words; {left} left.", "If it was not your friend, somebody is guessing.")


async def _run(posting: Posting, why: list[RendezvousError]) -> None:
    why.append(await posting.run())
