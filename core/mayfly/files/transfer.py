"""What the two ends of a transfer have in common: the stream's records in and out, pause, and how it ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

from mayfly.files import records as r
from mayfly.files.events import Ended, PauseChanged, TransferEvent
from mayfly.files.fields import FilesError
from mayfly.files.holding import HOLD, Hold, HoldStep
from mayfly.files.outbox import Outbox
from mayfly.files.reader import RecordReader
from mayfly.files.records import Reason
from mayfly.files.states import GIVING_UP, OUTCOMES, Outcome, State, Step, advance

Request = TypeVar("Request")


class Transfer(ABC, Generic[State, Request]):
    """One end of one transfer over one stream. It ends once; going on later takes a new one."""

    def __init__(
        self, table: Mapping[State, Mapping[Step, State]], start: State, steps: Mapping[type[r.Record], Step]
    ) -> None:
        self.state: State = start
        self.total: int | None = None
        """Bytes of all files, None while unknown."""
        self._table: Mapping[State, Mapping[Step, State]] = table
        self._steps = steps
        self._reader = RecordReader()
        self._outbox = Outbox()
        self._events: list[TransferEvent] = []
        self._requests: list[Request] = []
        self._hold = Hold.NOBODY

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, None before that."""
        return OUTCOMES.get(self.state)

    @property
    def over(self) -> bool:
        """Whether it has ended: what `output`, `requests` and `events` still give is all there will be."""
        return self.state in OUTCOMES

    @property
    def held(self) -> bool:
        """Whether either side has paused it."""
        return self._hold is not Hold.NOBODY

    @property
    def has_output(self) -> bool:
        """Whether `output` is worth a call: it may have something, or has given its last."""
        return bool(self._outbox) or self.over

    # What our program does

    def receive(self, data: bytes) -> None:
        """Bytes of the stream, as they came. They may be kept without a copy until the disk has them.

        A peer that breaks the rules ends the transfer with PROTOCOL. What comes after the end is ignored.
        """
        if self.over:
            return
        try:
            for record in self._reader.feed(data):
                self._handle(record)
                if self.over:
                    return
        except FilesError:
            self._break_off()

    def events(self) -> list[TransferEvent]:
        """What happened since the last call."""
        taken, self._events = self._events, []
        return taken

    def requests(self) -> list[Request]:
        """What the disk is to do, in this order."""
        taken, self._requests = self._requests, []
        return taken

    def pause(self) -> None:
        """Hold the data until `resume`. Does nothing when we hold them, or at the end."""
        if self._held_by(HoldStep.PAUSE):
            self._outbox.control(r.Pause())

    def resume(self) -> None:
        """Let the data go on, unless the peer holds them too. Does nothing when we do not hold them."""
        if self._held_by(HoldStep.RESUME):
            self._outbox.control(r.Resume())

    @abstractmethod
    def cancel(self, reason: Reason = Reason.USER) -> None:
        """End it: for good with USER, or, with LEAVING, so that it can go on another time."""

    @abstractmethod
    def link_lost(self) -> None:
        """The stream was reset, or the peer's half ended early."""

    # For the two ends

    @abstractmethod
    def _handle(self, record: r.Record) -> None:
        """Take a record. Raises FilesError where the peer may not send it."""

    @abstractmethod
    def _closing(self) -> Request:
        """The last request."""

    def _step(self, step: Step) -> bool:
        """Take a step of our own. Tells whether the table has it."""
        state = advance(self._table, self.state, step)
        if state is None:
            return False
        self.state = state
        return True

    def _take_step(self, record: r.Record) -> None:
        """Take the peer's step. Raises FilesError where the table lacks it."""
        step = self._steps.get(type(record))
        if step is None or not self._step(step):
            raise FilesError("the other side sent a record that may not come now")

    def _end(self, step: Step, reason: Reason | None, *, by_us: bool) -> None:
        """Take a step that leads to an end."""
        if self._step(step):
            self._ended(reason, by_us=by_us)

    def _ended(self, reason: Reason | None, *, by_us: bool) -> None:
        """The state has become an end."""
        outcome = self.outcome
        if outcome is not None:
            self._outbox.drop_data()
            self._requests.append(self._closing())
            self._events.append(Ended(outcome, reason, by_us))

    def _break_off(self) -> None:
        """The peer broke the rules: say so, and wait for nothing."""
        self._outbox.control(r.Cancel(Reason.PROTOCOL))
        self._end(Step.STOP, Reason.PROTOCOL, by_us=True)

    def _peer_holds(self, record: r.Record) -> None:
        self._held_by(HoldStep.PEER_PAUSE if isinstance(record, r.Pause) else HoldStep.PEER_RESUME)

    def _held_by(self, step: HoldStep) -> bool:
        """Take a step of the pause. Tells whether it changed anything."""
        hold = HOLD.get((self._hold, step))
        if hold is None or self.over:
            return False
        self._hold = hold
        changed = PauseChanged(hold.by_us, hold.by_peer)
        if self._events and isinstance(self._events[-1], PauseChanged):
            self._events[-1] = changed  # so that a peer that flips it all the time piles up nothing
        else:
            self._events.append(changed)
        return True


def end_step(reason: Reason) -> Step:
    """What a CANCEL with this reason leads to."""
    return Step.GIVE_UP if reason in GIVING_UP else Step.STOP
