"""The states of a transfer's two ends, one table each, and of its pause.

A table has, for each state, the steps that may happen in it. A record of the peer that its table lacks breaks the
protocol; steps of our own side that it lacks do nothing. COMPLETED, DECLINED, CANCELLED and INTERRUPTED are ends:
nothing happens in them.

::

    sender    OFFERED --ACCEPT--> LISTING --all listed--> SENDING --all sent--> FINISHING --COMPLETED--> COMPLETED
              any of these --our cancel--> CANCELLING --the receiver's word--> any end

    receiver  WAITING --OFFER--> ASKED --accept--> LISTING --END_OF_ENTRIES--> PREPARING --prepared--> RECEIVING
              RECEIVING --all on disk--> COMMITTING --committed--> COMPLETED

**The receiver's word decides.** It alone knows whether everything is in its place, so its COMPLETED, DECLINE or CANCEL
is how the transfer ended, on both sides. A sender that cancels waits for it; a receiver that is committing lets nothing
interrupt it, neither a CANCEL nor the end of the link. The two ends differ only where the link is lost while that word,
or the sender's CANCEL, is on its way: the next attempt tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, TypeVar

from mayfly.files.records import Reason


class Outcome(Enum):
    """How a transfer ended."""

    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    """Given up: nothing is kept for another time."""
    INTERRUPTED = "interrupted"
    """What is on disk stays there; the same transfer can go on from it."""


GIVING_UP: Final = frozenset({Reason.USER, Reason.BAD_NAME, Reason.LIMIT})
"""The reasons of a CANCEL after which trying again makes no sense, or is not wanted."""


class Sending(Enum):
    """States of the sender."""

    OFFERED = auto()
    LISTING = auto()
    SENDING = auto()
    FINISHING = auto()
    CANCELLING = auto()
    COMPLETED = auto()
    DECLINED = auto()
    CANCELLED = auto()
    INTERRUPTED = auto()


class Receiving(Enum):
    """States of the receiver."""

    WAITING = auto()
    ASKED = auto()
    LISTING = auto()
    PREPARING = auto()
    RECEIVING = auto()
    COMMITTING = auto()
    COMPLETED = auto()
    DECLINED = auto()
    CANCELLED = auto()
    INTERRUPTED = auto()


class Step(Enum):
    """What happens. The first group are records of the peer."""

    OFFER = auto()
    ENTRY = auto()
    END_OF_ENTRIES = auto()
    DATA = auto()
    """FILE, CHUNK, CHUNK_HASH, FILE_HASH."""
    FINISHED = auto()
    ACCEPT = auto()
    DECLINE = auto()
    ANSWER = auto()
    """WANT, SKIP."""
    PROGRESS = auto()
    """ON_DISK, DONE."""
    COMPLETED = auto()
    HOLD = auto()
    """PAUSE, RESUME."""
    CANCEL = auto()

    # Ours
    LISTED = auto()
    SENT = auto()
    PREPARED = auto()
    ALL_ON_DISK = auto()
    COMMITTED = auto()
    OUR_CANCEL = auto()

    # Ends
    GIVE_UP = auto()
    STOP = auto()
    """What stays is good for another time."""
    LOST = auto()


_S = Sending
_R = Receiving

_SENDER_ENDS: Final = {Step.GIVE_UP: _S.CANCELLED, Step.STOP: _S.INTERRUPTED}
_RECEIVER_ENDS: Final = {Step.GIVE_UP: _R.CANCELLED, Step.STOP: _R.INTERRUPTED, Step.LOST: _R.INTERRUPTED}


def _sender(state: Sending, steps: dict[Step, Sending]) -> dict[Step, Sending]:
    """A row, with what can happen in every state that is no end."""
    common = {Step.OUR_CANCEL: _S.CANCELLING, Step.HOLD: state, Step.CANCEL: state, Step.LOST: _S.INTERRUPTED}
    return common | _SENDER_ENDS | steps


def _receiver(state: Receiving, steps: dict[Step, Receiving]) -> dict[Step, Receiving]:
    """A row, with what can happen in every state that is no end."""
    return {Step.OUR_CANCEL: state, Step.HOLD: state, Step.CANCEL: state} | _RECEIVER_ENDS | steps


SENDER: Final[Mapping[Sending, Mapping[Step, Sending]]] = {
    _S.OFFERED: _sender(_S.OFFERED, {Step.ACCEPT: _S.LISTING, Step.DECLINE: _S.DECLINED}),
    _S.LISTING: _sender(_S.LISTING, {Step.LISTED: _S.SENDING}),
    _S.SENDING: _sender(_S.SENDING, {Step.ANSWER: _S.SENDING, Step.PROGRESS: _S.SENDING, Step.SENT: _S.FINISHING}),
    _S.FINISHING: _sender(_S.FINISHING, {Step.PROGRESS: _S.FINISHING, Step.COMPLETED: _S.COMPLETED}),
    # The receiver may have said any of this before it heard of our CANCEL. LOST is GIVE_UP or STOP here, by our reason.
    _S.CANCELLING: {
        Step.ACCEPT: _S.CANCELLING,
        Step.DECLINE: _S.DECLINED,
        Step.ANSWER: _S.CANCELLING,
        Step.PROGRESS: _S.CANCELLING,
        Step.COMPLETED: _S.COMPLETED,
        Step.HOLD: _S.CANCELLING,
        Step.CANCEL: _S.CANCELLING,
    }
    | _SENDER_ENDS,
    _S.COMPLETED: {},
    _S.DECLINED: {},
    _S.CANCELLED: {},
    _S.INTERRUPTED: {},
}

RECEIVER: Final[Mapping[Receiving, Mapping[Step, Receiving]]] = {
    _R.WAITING: _receiver(_R.WAITING, {Step.OFFER: _R.ASKED}),
    _R.ASKED: _receiver(_R.ASKED, {Step.ACCEPT: _R.LISTING, Step.DECLINE: _R.DECLINED}),
    _R.LISTING: _receiver(_R.LISTING, {Step.ENTRY: _R.LISTING, Step.END_OF_ENTRIES: _R.PREPARING}),
    _R.PREPARING: _receiver(_R.PREPARING, {Step.FINISHED: _R.PREPARING, Step.PREPARED: _R.RECEIVING}),
    _R.RECEIVING: _receiver(
        _R.RECEIVING, {Step.DATA: _R.RECEIVING, Step.FINISHED: _R.RECEIVING, Step.ALL_ON_DISK: _R.COMMITTING}
    ),
    # No way back: neither our user's cancel, nor the sender's, nor the end of the link.
    _R.COMMITTING: {
        Step.HOLD: _R.COMMITTING,
        Step.CANCEL: _R.COMMITTING,
        Step.COMMITTED: _R.COMPLETED,
        Step.GIVE_UP: _R.CANCELLED,
        Step.STOP: _R.INTERRUPTED,
    },
    _R.COMPLETED: {},
    _R.DECLINED: {},
    _R.CANCELLED: {},
    _R.INTERRUPTED: {},
}

OUTCOMES: Final[Mapping[Sending | Receiving, Outcome]] = {
    _S.COMPLETED: Outcome.COMPLETED,
    _S.DECLINED: Outcome.DECLINED,
    _S.CANCELLED: Outcome.CANCELLED,
    _S.INTERRUPTED: Outcome.INTERRUPTED,
    _R.COMPLETED: Outcome.COMPLETED,
    _R.DECLINED: Outcome.DECLINED,
    _R.CANCELLED: Outcome.CANCELLED,
    _R.INTERRUPTED: Outcome.INTERRUPTED,
}
"""The states that are ends."""

State = TypeVar("State", Sending, Receiving)


def advance(table: Mapping[State, Mapping[Step, State]], state: State, step: Step) -> State | None:
    """The state after `step`, None where the table has none."""
    return table[state].get(step)
