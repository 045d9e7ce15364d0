"""Who hears what."""

from __future__ import annotations

import pytest

from mayfly.runtime.events import Closed, Event, Joined, Listening, Offered, Progress, TransferChanged, Warned
from mayfly.services.topics import CHAT, INCOMING, STOP, WATCH, topics_of, transfer_topic


@pytest.mark.parametrize(
    ("event", "topics"),
    [
        (Closed(1, ""), {WATCH, CHAT, STOP, INCOMING}),
        (Joined("x"), {WATCH, CHAT}),
        (Offered("0", 1, "a", "files", "x", 1, 1), {WATCH, CHAT, INCOMING}),
        (TransferChanged("0", 1, "accepted", ""), {WATCH, CHAT}),
        (Progress("0", 1, 1, 1, 1.0), {CHAT}),
        (Listening("socks5", ""), {WATCH}),
        (Warned("listen", ""), {WATCH}),
        (Warned("chat", ""), {WATCH, CHAT}),
        (Warned("transfer", ""), {WATCH, CHAT}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_event_has_its_topics(event: Event, topics: set[str]) -> None:
    assert topics_of(event) == topics


def test_transfers_have_topics_of_their_own() -> None:
    assert transfer_topic("a") != transfer_topic("b")
