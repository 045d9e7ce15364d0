"""What a room tells its process. Names are safe to print and unique here; texts are a peer's, as they came."""

from __future__ import annotations

from dataclasses import dataclass

from mayfly.chat.fates import OPEN, Fate


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody is here, for the first time or again. `session` is the one through which they are reached."""

    name: str
    session: int


@dataclass(frozen=True, slots=True)
class Left:
    """Somebody is not here any more, for good or for a while."""

    name: str
    session: int


@dataclass(frozen=True, slots=True)
class Named:
    """The other end of a session calls our user this, because the name that we gave was taken or not usable there."""

    name: str
    session: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message for our user; it comes once. `origin` is its author's participant id, `id` the author's number for it.

    `time` is Unix milliseconds by the author's clock: a claim. `text` is the author's and MUST be escaped to be shown.
    """

    origin: bytes
    id: int
    sender: str
    private: bool
    text: str
    time: int
    session: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """Our user's message `id` has reached the process of `by`."""

    id: int
    by: str


@dataclass(frozen=True, slots=True)
class Undelivered:
    """It is not known that our user's message `id` has reached `to`.

    Unless `final`, it is kept, and sent when they come back. If `certain`, they do not have it; otherwise it was sent,
    and no answer came.
    """

    id: int
    to: str
    fate: Fate
    certain: bool

    @property
    def final(self) -> bool:
        """Whether it was given up."""
        return self.fate not in OPEN


@dataclass(frozen=True, slots=True)
class Dropped:
    """A session takes no more part in the chat: reset its chat streams. The room has forgotten it already.

    `why` is a fixed text for people.
    """

    session: int
    why: str


Event = Joined | Left | Named | Received | Delivered | Undelivered | Dropped
