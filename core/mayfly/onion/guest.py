"""A caller's side: ask for an offer, send the answer, hear whether it is taken.

::

    CALLED ──Offered──► OFFERED ──answer()──► ANSWERED ──Accepted──► (True)
       └────────────────────┴──────────────────────┴──── Refused ──► (RelayRefusesError)
"""

from __future__ import annotations

from enum import Enum

from mayfly.meetconfig import OnionConfig
from mayfly.onion.messages import (
    Accepted,
    Answered,
    Call,
    LineReader,
    Offered,
    OnionError,
    Refused,
    decode,
    encode,
)


class RelayRefusesError(Exception):
    """The relay said no, for a reason that is one of a few."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.why.value)
        self.refused = refused


class _State(Enum):
    CALLED = "called"
    OFFERED = "offered"
    ANSWERED = "answered"


class Guest:
    """One call. Send `call()`, feed what comes, and send `answer()` to the offer."""

    def __init__(self, config: OnionConfig) -> None:
        self._lines = LineReader(config.max_line)
        self._state = _State.CALLED

    def call(self) -> bytes:
        """The first line."""
        return encode(Call())

    def receive(self, data: bytes) -> Offered | Accepted | None:
        """What the relay says; None while it has not said it whole. Raises RelayRefusesError or OnionError."""
        for line in self._lines.feed(data):
            match self._state, decode(line):
                case _State.CALLED, Offered() as offered:
                    self._state = _State.OFFERED
                    return offered
                case _State.ANSWERED, Accepted() as accepted:
                    return accepted
                case _, Refused() as refused:
                    raise RelayRefusesError(refused)
                case _:
                    raise OnionError("the relay spoke out of turn")
        return None

    def answer(self, code: str) -> bytes:
        """Our answer's code."""
        self._state = _State.ANSWERED
        return encode(Answered(code))
