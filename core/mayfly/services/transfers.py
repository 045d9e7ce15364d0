"""All transfers of one program: what is offered, what is under way, and who is told.

::

    a peer's FILE stream -> Receiving -> ask: announced as `offered`, and waits for accept or decline
    a command's `send`   -> one FILE stream a receiver -> Sending, through one Broadcast when there are several
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from mayfly.errors import ControlError, LinkLostError, Reply, StreamCode, StreamResetError
from mayfly.files.events import Accepted, Listed, PauseChanged, Restarted, TransferEvent
from mayfly.files.records import Offer, Reason
from mayfly.mux.events import Priority
from mayfly.runtime.control import ControlConnection
from mayfly.runtime.events import Event, Offered, TransferChanged, Warned
from mayfly.runtime.session import Session
from mayfly.runtime.stream import Stream
from mayfly.runtime.tasks import TaskSet, unless
from mayfly.services.broadcast import Broadcast
from mayfly.services.changes import in_words
from mayfly.services.driving import Result
from mayfly.services.options import HubOptions
from mayfly.services.reading import Blocks
from mayfly.services.receiving import Into, Receiving
from mayfly.services.sending import Sending
from mayfly.services.source import Source
from mayfly.services.topics import INCOMING, transfer_topic
from mayfly.services.turns import Turns
from mayfly.services.underway import ACCEPTED, OFFERED, PAUSED, Underway, why
from mayfly.wire.header import Answer, Header, Service

MAX_INCOMING = 16
"""Transfers of one peer at once, offers that wait included; more are refused."""

MAX_OUTGOING = 64
"""Transfers of ours at once, to all peers together."""

INTERVAL = 0.25
"""Seconds between two reports of progress."""

LEAVE = 1.0
"""Seconds for a transfer to be broken off in order when its session ends."""


class Tell(Protocol):
    """Where events go; `also` are topics of commands that hear them besides."""

    def __call__(self, event: Event, *also: str) -> None: ...


class Transfers:
    """One program's. `label` gives a peer's name for people; nothing is waited for any more once `stop` is set."""

    def __init__(
        self, tell: Tell, label: Callable[[int], str], options: HubOptions, stop: asyncio.Event | None = None
    ) -> None:
        self._stop = stop or asyncio.Event()
        self._tell = tell
        self._label = label
        self._accept_all = None if options.accept_into is None else Into(options.accept_into, options.overwrite)
        self._takers: dict[ControlConnection, Into] = {}
        self._underway: list[Underway] = []
        self._tasks = TaskSet()
        self._reporting = TaskSet()
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False
        self._turns = Turns()
        self._waiting_turn: Counter[int] = Counter()

    @property
    def count(self) -> int:
        """How many there are, offers included."""
        return len(self._underway)

    def status(self) -> list[dict[str, Any]]:
        """All of them, for `mayfly status`."""
        return [each.status() for each in self._underway]

    def offers(self) -> list[Offered]:
        """What waits for an answer of our user."""
        return [each.offered(self._label(each.peer)) for each in self._underway if _waits(each)]

    async def wait_idle(self) -> None:
        """Wait until there is none."""
        await self._idle.wait()

    # What peers offer

    async def serve(self, number: int, stream: Stream) -> None:
        """Serve a FILE stream that a peer opened, to its end."""
        underway = sum(each.incoming and each.peer == number for each in self._underway)
        if underway + self._waiting_turn[number] >= MAX_INCOMING:
            stream.reset(StreamCode.LIMIT)
            return
        await self._wait_turn(number)
        if self._draining:
            stream.reset(StreamCode.DRAINING)
            return
        await stream.answer(Answer(Reply.SUCCEEDED))
        found: list[Underway] = []

        async def ask(offer: Offer) -> Into | Reason:
            if self._find(offer.transfer.hex(), number, incoming=True):
                return Reason.BUSY
            found.append(self._begin(offer, number, driver))
            return await self._ask(found[0])

        driver = Receiving(stream, ask, lambda event: self._happened(found[0], event) if found else None)
        result: Result | None = None
        try:
            result = await driver.run()
        finally:
            for each in found:
                self._end(each, result)

    async def _wait_turn(self, number: int) -> None:
        one = Counter((number,))
        self._waiting_turn += one
        try:
            await asyncio.sleep(self._turns.take(number, asyncio.get_running_loop().time()))
        finally:
            self._waiting_turn -= one

    def _begin(self, offer: Offer, number: int, driver: Receiving) -> Underway:
        transfer = Underway.of(offer, number, incoming=True)
        transfer.driver = driver
        transfer.answer = asyncio.get_running_loop().create_future()
        self._add(transfer)
        return transfer

    async def _ask(self, transfer: Underway) -> Into | Reason:
        self._tell(transfer.offered(self._label(transfer.peer)), transfer_topic(transfer.id))
        assert transfer.answer is not None  # noqa: S101 - it came in
        into = self._accept_all or next(iter(self._takers.values()), None)
        if into is not None:
            transfer.decide(into)
        answer = await transfer.answer
        if isinstance(answer, Into):
            transfer.state = ACCEPTED
            self._changed(transfer, ACCEPTED)
        return answer

    def accept(self, transfer: str, peer: int | None, into: Into) -> None:
        """Accept an offer. A descriptor in `into` is ours from now on. Raises ControlError."""
        waiting = self._waiting(transfer, peer)
        if len(waiting) > 1:
            raise ControlError("Several people offer this transfer.", hint="Say from which one to take it.")
        waiting[0].descriptor = into.descriptor
        waiting[0].decide(into)

    def decline(self, transfer: str, peer: int | None) -> None:
        """Decline an offer, or all of that id. Raises ControlError."""
        waiting = self._waiting(transfer, peer)
        for each in waiting:
            each.decide(Reason.USER)

    def take_all(self, connection: ControlConnection, into: Into) -> None:
        """Accept all that is and will be offered, while that command stays."""
        self._takers[connection] = into
        for each in self._underway:
            each.decide(into)

    def forget_command(self, connection: ControlConnection) -> None:
        """A command has left."""
        self._takers.pop(connection, None)

    # What we send

    def send(self, source: Source, to: dict[int, Session], descriptor: int | None = None) -> list[Underway]:
        """Offer a source to these peers; one transfer each. The descriptor is ours once this returns.

        Raises ControlError when one of them is offered it already or there are too many transfers, and UsageError for
        standard input to several.
        """
        if self._draining:
            raise ControlError("The program is leaving.", hint="Send it when it runs again.")
        if len(self._underway) + len(to) > MAX_OUTGOING + MAX_INCOMING:
            raise ControlError("Too many transfers are under way.", hint="Wait until one has ended.")
        if any(self._find(source.transfer.hex(), number, incoming=False) for number in to):
            raise ControlError("This is being sent already.", hint="`mayfly status` shows it.")
        broadcast = Broadcast(source) if len(to) > 1 else None
        begun: list[Underway] = []
        for number, session in to.items():
            transfer = Underway.of(source.offer, number, incoming=False)
            self._add(transfer)
            begun.append(transfer)
            blocks = None if broadcast is None else broadcast.share()
            self._tasks.spawn(self._send(transfer, session, source, blocks))
        begun[0].descriptor = descriptor
        return begun

    async def _send(self, transfer: Underway, session: Session, source: Source, blocks: Blocks | None) -> None:
        result: Result | None = None
        try:
            stream = await session.open_stream(Header(Service.FILE), Priority.BULK)
            try:
                answer = await stream.read_answer()
            except BaseException:
                stream.reset()
                raise
            if answer.reply is not Reply.SUCCEEDED:
                stream.reset()
                self._end(transfer, None, "declined", "the other side takes no files")
                return
            transfer.driver = driver = Sending(
                stream, source, lambda event: self._happened(transfer, event), blocks=blocks
            )
            if transfer.given_up is not None:
                driver.cancel(transfer.given_up)
            result = await driver.run()
        except StreamResetError as error:
            if error.code in (StreamCode.LIMIT, StreamCode.UNSUPPORTED):
                self._end(transfer, None, "declined", "the other side takes no more transfers")
        except LinkLostError:
            pass  # told as such
        finally:
            self._end(transfer, result)

    # Either direction

    def steer(self, what: str, transfer: str, peer: int | None) -> None:
        """`pause`, `resume` or `cancel` all transfers of that id, or the one with that peer. Raises ControlError."""
        matching = self._matching(transfer, peer)
        if not matching:
            raise ControlError("There is no such transfer.", hint="`mayfly status` lists them.")
        for each in matching:
            if what == "cancel":
                each.give_up(Reason.USER)
            elif each.driver is not None:
                (each.driver.pause if what == "pause" else each.driver.resume)()

    def drain(self) -> None:
        """Take and offer nothing new, and take back what was not accepted yet."""
        self._draining = True
        for each in self._underway:
            if each.state == OFFERED:
                each.give_up(Reason.LEAVING)

    async def leave(self, number: int) -> None:
        """A peer's session has ended or is about to be closed by us: what is under way can go on another time."""
        await self._break_off([each for each in self._underway if each.peer == number])
        self._turns.forget(number)

    async def aclose(self) -> None:
        """Break off everything."""
        self._draining = True
        await self._break_off(list(self._underway))
        await self._tasks.aclose()
        await self._reporting.aclose()

    async def _break_off(self, transfers: Sequence[Underway]) -> None:
        for each in transfers:
            each.give_up(Reason.LEAVING)
        ends = [asyncio.wait_for(each.ended.wait(), LEAVE) for each in transfers]
        await unless(self._stop, _all(ends))

    # The table

    def _add(self, transfer: Underway) -> None:
        self._underway.append(transfer)
        self._idle.clear()
        if not self._reporting:
            self._reporting.spawn(self._report())

    def _end(self, transfer: Underway, result: Result | None, state: str = "", reason: str = "") -> None:
        """Once for each transfer; a second time does nothing."""
        if transfer not in self._underway:
            return
        self._tell_progress(transfer, last=True)
        self._underway.remove(transfer)
        state = state or (result.outcome.value if result is not None else "interrupted")
        transfer.state = state
        self._changed(transfer, state, reason or why(result), None if result is None else result.text)
        transfer.close()
        if not self._underway:
            self._idle.set()

    def _find(self, transfer: str, peer: int, *, incoming: bool) -> bool:
        return any(each.incoming is incoming for each in self._matching(transfer, peer))

    def _waiting(self, transfer: str, peer: int | None) -> list[Underway]:
        """The offers of that id that nobody has answered, at least one. Raises ControlError."""
        waiting = [each for each in self._matching(transfer, peer) if _waits(each)]
        if not waiting:
            raise ControlError(
                "This transfer does not wait for an answer.", hint="It has been answered; `mayfly status` shows it."
            )
        return waiting

    def _matching(self, transfer: str, peer: int | None) -> list[Underway]:
        return [each for each in self._underway if each.id == transfer and peer in (None, each.peer)]

    # Telling

    def _happened(self, transfer: Underway, event: TransferEvent) -> None:
        match event:
            case Accepted():
                transfer.state = ACCEPTED
                self._changed(transfer, ACCEPTED)
            case PauseChanged(by_us, by_peer):
                transfer.held = (by_us, by_peer)
                self._tell_pause(transfer)
            case Restarted():
                self._warn(transfer, "A file has changed since the last time; it is sent from its start.")
            case Listed(manifest) if manifest.changes:
                self._warn(transfer, in_words(manifest))
            case _:
                pass  # an offer and the end are told elsewhere

    def _tell_pause(self, transfer: Underway) -> None:
        """Tell who holds it, where that has changed; at most once in an INTERVAL, however often a peer changes it."""
        now, (told_at, told) = asyncio.get_running_loop().time(), transfer.held_told
        if transfer.state == OFFERED or transfer.held == told or now < told_at + INTERVAL:
            return
        transfer.held_told = (now, transfer.held)
        by_us, by_peer = transfer.held
        if by_us or by_peer:
            transfer.state = PAUSED
            who = "both sides" if by_us and by_peer else "this side" if by_us else "the other side"
            self._changed(transfer, PAUSED, f"by {who}")
        elif transfer.state == PAUSED:
            transfer.state = ACCEPTED
            self._changed(transfer, "resumed")

    def _changed(self, transfer: Underway, state: str, reason: str = "", text: str | None = None) -> None:
        self._tell(TransferChanged(transfer.id, transfer.peer, state, reason, text), *_topics(transfer))

    def _warn(self, transfer: Underway, message: str) -> None:
        self._tell(Warned("transfer", message), *_topics(transfer))

    def _tell_progress(self, transfer: Underway, *, last: bool = False) -> None:
        progress = transfer.progress(asyncio.get_running_loop().time(), last=last)
        if progress is not None:
            self._tell(progress, *_topics(transfer))

    async def _report(self) -> None:
        while self._underway:
            for each in self._underway:
                self._tell_pause(each)
                self._tell_progress(each)
            await asyncio.sleep(INTERVAL)


async def _all(works: Sequence[Coroutine[Any, Any, object]]) -> None:
    await asyncio.gather(*works, return_exceptions=True)


def _waits(transfer: Underway) -> bool:
    return transfer.answer is not None and not transfer.answer.done() and transfer.state == OFFERED


def _topics(transfer: Underway) -> tuple[str, ...]:
    topic = transfer_topic(transfer.id)
    return (topic, INCOMING) if transfer.incoming else (topic,)
