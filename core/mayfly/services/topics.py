"""Which commands hear which events: each connection of the control socket has topics, each event belongs to some."""

from __future__ import annotations

from typing import Final

from mayfly.runtime.events import (
    Closed,
    Connected,
    Delivered,
    Draining,
    Event,
    Joined,
    Leaving,
    Left,
    MessageReceived,
    Offered,
    Undelivered,
    Warned,
)

WATCH: Final = "watch"
"""Everything but progress."""

STOP: Final = "stop"
"""The program's end."""

CHAT: Final = "chat"
"""The chat, who comes and goes, and what is offered meanwhile."""

INCOMING: Final = "incoming"
"""Offers, and all transfers that come in."""

_ENDING = (Draining, Leaving, Closed)
_ROOM = (MessageReceived, Delivered, Undelivered, Joined, Left, Connected, *_ENDING)
_TRANSFER = ("transfer", "progress")


def transfer_topic(transfer: str) -> str:
    """The topic of one transfer, whatever its receivers."""
    return f"transfer {transfer}"


def topics_of(event: Event) -> set[str]:
    """Who hears an event, apart from those who asked for one transfer or for what comes in."""
    topics = set[str]() if event.event == "progress" else {WATCH}
    if isinstance(event, _ROOM) or event.event in _TRANSFER:
        topics.add(CHAT)
    if isinstance(event, _ENDING):
        topics |= {STOP, INCOMING}
    if isinstance(event, Warned) and event.stage in ("chat", "transfer"):
        topics.add(CHAT)
    if isinstance(event, Offered):
        topics |= {CHAT, INCOMING}
    return topics
