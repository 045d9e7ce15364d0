"""What is told of the chat and of transfers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mayfly.runtime.event import Bytes, BytesPerSecond, Event, Foreign, UnixMilliseconds


@dataclass(frozen=True, slots=True)
class MessageReceived(Event):
    """Somebody has said something in the chat.

    Told by: relay, client, chat.
    """

    event: ClassVar[str] = "message"

    sender: Foreign
    """The name of who said it."""
    to: str | None
    """Our own name for a private message, null for one to the whole room."""
    text: Foreign
    """What was said; lines are separated by line feeds."""
    time: UnixMilliseconds
    """When it was written, by the sender's clock."""
    id: str
    """The message's; no two messages share one."""


@dataclass(frozen=True, slots=True)
class Delivered(Event):
    """A message of ours has reached somebody's program.

    Told by: relay, client, chat.
    """

    event: ClassVar[str] = "delivered"

    id: str
    """The message's, as the reply to it said."""
    by: Foreign
    """The name of who has it."""


@dataclass(frozen=True, slots=True)
class Undelivered(Event):
    """It is not known that a message of ours has reached somebody.

    Told by: relay, client, chat.
    """

    event: ClassVar[str] = "undelivered"

    id: str
    """The message's."""
    to: Foreign
    """The name of who has not confirmed it."""
    final: bool
    """Whether it is given up; otherwise the link is lost, and it is sent when they come back."""
    certain: bool
    """Whether they surely do not have it; otherwise it may have been sent, and their answer has not come."""


@dataclass(frozen=True, slots=True)
class Joined(Event):
    """Somebody has come into the chat.

    Told by: relay, client, chat.
    """

    event: ClassVar[str] = "joined"

    name: Foreign
    """Whose name it is."""


@dataclass(frozen=True, slots=True)
class Left(Event):
    """Somebody has left the chat.

    Told by: relay, client, chat.
    """

    event: ClassVar[str] = "left"

    name: Foreign
    """Whose name it is."""


@dataclass(frozen=True, slots=True)
class Offered(Event):
    """Somebody wants to send files. Nothing comes before the offer is accepted.

    Told by: relay, client, chat, receive.
    """

    event: ClassVar[str] = "offered"

    transfer: str
    """The transfer's id."""
    peer: int
    """Who offers, as counted in `connected`."""
    sender: Foreign
    """The name of who offers."""
    kind: str
    """`files`, `directory`, `stdin` or `text`."""
    name: Foreign
    """For people; it names no path."""
    size: Bytes | None
    """In all; null when the sender cannot know."""
    files: int
    """Files, directories and links in all."""
    only_files: bool = False
    """Whether all of these are files; false also where the sender does not say."""


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far a transfer has come, at most four times a second.

    Told by: relay, client, chat, send, receive.
    """

    event: ClassVar[str] = "progress"

    transfer: str
    """The transfer's id."""
    peer: int
    """The other side, as counted in `connected`."""
    bytes: Bytes
    """What the receiver has verified and has on disk."""
    total: Bytes | None
    """What there is in all; null while nobody knows."""
    rate: BytesPerSecond
    """Lately."""


@dataclass(frozen=True, slots=True)
class TransferChanged(Event):
    """A transfer has reached another state.

    Told by: relay, client, chat, send, receive.
    """

    event: ClassVar[str] = "transfer"

    transfer: str
    """The transfer's id."""
    peer: int
    """The other side, as counted in `connected`."""
    state: str
    """`accepted`, `declined`, `paused`, `resumed`, `completed`, `cancelled` or `interrupted`."""
    reason: str
    """For people; empty where there is nothing to say."""
    text: Foreign | None = None
    """What was received, if it was a text that is `completed`."""
