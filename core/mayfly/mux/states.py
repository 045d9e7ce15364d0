"""The states of a stream's two halves, in one table each. Names follow RFC 9000 §3.

A stream has a sending half and a receiving half that end apart from each other. The channel below is reliable, so a
reset that was sent has ended its half. A FIN has not: the channel is unordered, and only the peer's word that all of
the stream has been read (MAX_STREAM_DATA's third field) tells that a session may be closed without cutting its tail
off.

::

    sending      OPEN --finish--> FINISHING --FIN sent--> FINISHED --all read there--> DELIVERED
                   \\--------reset------\\-----reset-----> RESET

    receiving    OPEN --FIN--> SIZE_KNOWN --no gap left--> COMPLETE --all read--> READ
                   \\--stop--> STOPPED --FIN--> READ
                    \\------------\\---- the peer's reset ---------------------> RESET

`advance` looks a step up. A step that the table does not have is a `LocalProtocolError` when our application asked for
it; nothing that a peer sends is missing from the table, because the order in which frames arrive is not the peer's.
"""

from __future__ import annotations

from enum import auto
from typing import Final, TypeVar

from mayfly.enumeration import IdentityEnum
from mayfly.errors import ErrorCode, LocalProtocolError


class Send(IdentityEnum):
    """States of the sending half."""

    OPEN = auto()
    FINISHING = auto()
    FINISHED = auto()
    DELIVERED = auto()
    RESET = auto()


class SendStep(IdentityEnum):
    """What happens to the sending half."""

    WRITE = "write to"
    FINISH = "finish"
    FIN_SENT = "send the end of"
    DELIVERED = "deliver"
    RESET = "reset"


class Receive(IdentityEnum):
    """States of the receiving half."""

    OPEN = auto()
    SIZE_KNOWN = auto()
    COMPLETE = auto()
    READ = auto()
    STOPPED = auto()
    RESET = auto()


class ReceiveStep(IdentityEnum):
    """What happens to the receiving half."""

    DATA = "receive"
    FIN = "receive the end of"
    NO_GAP = "complete"
    READ_ALL = "read"
    RESET = "be reset on"
    STOP = "stop"


SEND: Final[dict[tuple[Send, SendStep], Send]] = {
    (Send.OPEN, SendStep.WRITE): Send.OPEN,
    (Send.OPEN, SendStep.FINISH): Send.FINISHING,
    (Send.OPEN, SendStep.RESET): Send.RESET,
    (Send.FINISHING, SendStep.FINISH): Send.FINISHING,
    (Send.FINISHING, SendStep.FIN_SENT): Send.FINISHED,
    (Send.FINISHING, SendStep.RESET): Send.RESET,
    (Send.FINISHED, SendStep.DELIVERED): Send.DELIVERED,
    (Send.FINISHED, SendStep.FINISH): Send.FINISHED,
    (Send.FINISHED, SendStep.RESET): Send.FINISHED,
    (Send.DELIVERED, SendStep.FINISH): Send.DELIVERED,
    (Send.DELIVERED, SendStep.RESET): Send.DELIVERED,
    (Send.RESET, SendStep.FINISH): Send.RESET,
    (Send.RESET, SendStep.RESET): Send.RESET,
}

RECEIVE: Final[dict[tuple[Receive, ReceiveStep], Receive]] = {
    (Receive.OPEN, ReceiveStep.DATA): Receive.OPEN,
    (Receive.OPEN, ReceiveStep.FIN): Receive.SIZE_KNOWN,
    (Receive.OPEN, ReceiveStep.RESET): Receive.RESET,
    (Receive.OPEN, ReceiveStep.STOP): Receive.STOPPED,
    (Receive.SIZE_KNOWN, ReceiveStep.DATA): Receive.SIZE_KNOWN,
    (Receive.SIZE_KNOWN, ReceiveStep.FIN): Receive.SIZE_KNOWN,
    (Receive.SIZE_KNOWN, ReceiveStep.NO_GAP): Receive.COMPLETE,
    (Receive.SIZE_KNOWN, ReceiveStep.RESET): Receive.RESET,
    (Receive.SIZE_KNOWN, ReceiveStep.STOP): Receive.READ,
    (Receive.COMPLETE, ReceiveStep.DATA): Receive.COMPLETE,
    (Receive.COMPLETE, ReceiveStep.FIN): Receive.COMPLETE,
    (Receive.COMPLETE, ReceiveStep.READ_ALL): Receive.READ,
    (Receive.COMPLETE, ReceiveStep.RESET): Receive.COMPLETE,
    (Receive.COMPLETE, ReceiveStep.STOP): Receive.READ,
    (Receive.STOPPED, ReceiveStep.DATA): Receive.STOPPED,
    (Receive.STOPPED, ReceiveStep.FIN): Receive.READ,
    (Receive.STOPPED, ReceiveStep.RESET): Receive.RESET,
    (Receive.STOPPED, ReceiveStep.STOP): Receive.STOPPED,
    (Receive.READ, ReceiveStep.DATA): Receive.READ,
    (Receive.READ, ReceiveStep.FIN): Receive.READ,
    (Receive.READ, ReceiveStep.RESET): Receive.READ,
    (Receive.READ, ReceiveStep.STOP): Receive.READ,
    (Receive.RESET, ReceiveStep.DATA): Receive.RESET,
    (Receive.RESET, ReceiveStep.FIN): Receive.RESET,
    (Receive.RESET, ReceiveStep.RESET): Receive.RESET,
    (Receive.RESET, ReceiveStep.STOP): Receive.RESET,
}

SEND_ENDED: Final = frozenset({Send.DELIVERED, Send.RESET})
RECEIVE_ENDED: Final = frozenset({Receive.READ, Receive.RESET})

S = TypeVar("S", Send, Receive)
T = TypeVar("T", SendStep, ReceiveStep)


def advance(table: dict[tuple[S, T], S], state: S, step: T) -> S:
    """The state after `step`. Raises LocalProtocolError where the table has none."""
    try:
        return table[state, step]
    except KeyError:
        what = f"cannot {step.value} a stream in state {state.name}"
        raise LocalProtocolError(ErrorCode.STREAM_STATE_ERROR, what) from None
