"""The states of an association, in one table (RFC 9260 §4).

::

    CLOSED --start--> COOKIE_WAIT --INIT ACK--> COOKIE_ECHOED --COOKIE ACK--> ESTABLISHED
                          \\----------COOKIE ECHO--------\\---COOKIE ECHO------/

    ESTABLISHED --SHUTDOWN--> SHUTDOWN_RECEIVED --all acknowledged--> SHUTDOWN_ACK_SENT --SHUTDOWN COMPLETE--> ENDED

    any --ABORT, a broken rule, silence, our own abort--> ENDED

Both ends send INIT (RFC 8841 §9.3), so each is client and server at once, and whichever COOKIE arrives first opens.
Our end never shuts down itself: a link that closes has waited for its acknowledgements, and aborts, as browsers do.
`follow` gives the next state, or None where a step means nothing: a late or repeated chunk, which the network may
bring at any time and which is then ignored.
"""

from __future__ import annotations

from enum import auto
from typing import Final

from mayfly.enumeration import IdentityEnum


class State(IdentityEnum):
    """Where the association is."""

    CLOSED = auto()
    COOKIE_WAIT = auto()
    COOKIE_ECHOED = auto()
    ESTABLISHED = auto()
    SHUTDOWN_RECEIVED = auto()
    SHUTDOWN_ACK_SENT = auto()
    ENDED = auto()


class Step(IdentityEnum):
    """What happens to it."""

    START = auto()
    INIT_ACK = auto()
    COOKIE_ECHO = auto()
    COOKIE_ACK = auto()
    SHUTDOWN = auto()
    ALL_ACKNOWLEDGED = auto()
    SHUTDOWN_COMPLETE = auto()
    END = auto()


_TABLE: Final = {
    (State.CLOSED, Step.START): State.COOKIE_WAIT,
    (State.COOKIE_WAIT, Step.INIT_ACK): State.COOKIE_ECHOED,
    (State.COOKIE_WAIT, Step.COOKIE_ECHO): State.ESTABLISHED,
    (State.COOKIE_ECHOED, Step.COOKIE_ECHO): State.ESTABLISHED,
    (State.COOKIE_ECHOED, Step.COOKIE_ACK): State.ESTABLISHED,
    (State.ESTABLISHED, Step.SHUTDOWN): State.SHUTDOWN_RECEIVED,
    (State.SHUTDOWN_RECEIVED, Step.ALL_ACKNOWLEDGED): State.SHUTDOWN_ACK_SENT,
    (State.SHUTDOWN_ACK_SENT, Step.SHUTDOWN_COMPLETE): State.ENDED,
}

MEETING: Final = frozenset({State.COOKIE_WAIT, State.COOKIE_ECHOED})
"""Where an INIT of the far end is part of opening. Later ones are late copies, and start nothing over."""

RECEIVING: Final = frozenset({State.COOKIE_ECHOED, State.ESTABLISHED})
"""Where the far end may send DATA. Its COOKIE ACK may be overtaken by it."""

SENDING: Final = frozenset({State.ESTABLISHED, State.SHUTDOWN_RECEIVED})
"""Where what was queued may leave."""


def follow(state: State, step: Step) -> State | None:
    """The next state, or None where the step means nothing."""
    if step is Step.END:
        return None if state is State.ENDED else State.ENDED
    return _TABLE.get((state, step))
