"""A relay's side: who may call, and what one call goes through.

::

    CALLING ──Call──► WANTING ──offer()──► WAITING ──Answered──► JUDGING ──accept(), refuse()──► OVER
       │                 │                    │
       └─────────────────┴────────────────────┴──── refuse(), broken rule, late ───────────────► OVER

An offer belongs to one call and ends with it, so nobody can answer another caller's, and offers that nobody answers
are bounded by the calls that may be open. The relay cannot tell callers apart: the limits hold for all together.
"""

from __future__ import annotations

from enum import Enum

from mayfly.bucket import Bucket
from mayfly.meetconfig import OnionConfig
from mayfly.onion.messages import (
    VERSION,
    Accepted,
    Answered,
    Call,
    LineReader,
    Offered,
    OnionError,
    Refusal,
    Refused,
    decode,
    encode,
)


class Desk:
    """Counts calls, and how often an offer may be made. Times are seconds on one clock of the driver's."""

    def __init__(self, config: OnionConfig) -> None:
        self._config = config
        self._open = 0
        self._offers = Bucket(config.offer_rate, config.offer_burst)

    def enter(self) -> bool:
        """Whether one more caller may come in; whoever did must `leave`."""
        if self._open >= self._config.max_callers:
            return False
        self._open += 1
        return True

    def leave(self) -> None:
        """A caller that had entered is gone."""
        self._open -= 1

    def may_offer(self, now: float) -> bool:
        """Whether an offer may be made now; counts it if so."""
        if self._offers.level(now) < 1:
            return False
        self._offers.spend(1)
        return True


class State(Enum):
    """Where a call stands."""

    CALLING = "calling"
    WANTING = "wanting"
    WAITING = "waiting"
    JUDGING = "judging"
    OVER = "over"


class CallerMachine:
    """One call at the relay. The driver acts on `state` after each `receive`, and sends what the methods return."""

    def __init__(self, config: OnionConfig, now: float) -> None:
        self._config = config
        self._lines = LineReader(config.max_line)
        self.state = State.CALLING
        self.answer = ""
        """The answer's code, once JUDGING. Foreign."""
        self.deadline = now + config.call_timeout
        """When the call is to be cut, whatever its state."""

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the caller's. Returns what to send; OVER then means to close after that."""
        try:
            for line in self._lines.feed(data):
                if reply := self._take(decode(line)):
                    return reply
        except OnionError:
            self.state = State.OVER
        return b""

    def offer(self, code: str, now: float) -> bytes:
        """Send the offer that was WANTED; its answer is due in a while."""
        self.state = State.WAITING
        self.deadline = now + self._config.answer_timeout
        return encode(Offered(code, self._config.answer_timeout))

    def accept(self) -> bytes:
        """The answer is good."""
        self.state = State.OVER
        return encode(Accepted())

    def refuse(self, why: Refusal) -> bytes:
        """End the call with a reason."""
        self.state = State.OVER
        return encode(Refused(why, self._config.retry_after if why is Refusal.BUSY else 0.0))

    def _take(self, message: object) -> bytes:
        match self.state, message:
            case State.CALLING, Call(version):
                if version != VERSION:
                    return self.refuse(Refusal.VERSION)
                self.state = State.WANTING
            case State.WAITING, Answered(answer):
                self.answer = answer
                self.state = State.JUDGING
            case _:
                raise OnionError("out of turn")
        return b""
