"""The schema of events."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from mayfly.errors import ConnectError, MistypedCodeError
from mayfly.runtime import events
from mayfly.runtime.events import (
    EVENTS,
    Closed,
    CodeReady,
    Connected,
    Delivered,
    Draining,
    Event,
    Failed,
    Inspected,
    Joined,
    Leaving,
    Left,
    Listening,
    MessageReceived,
    Offered,
    Posted,
    Progress,
    Renewed,
    Status,
    TorChanged,
    TransferChanged,
    Undelivered,
    Warned,
    Words,
)

WORDS = ("one", "two", "three", "four", "five")

SAMPLES: list[tuple[Event, dict[str, Any]]] = [
    (
        Posted("https://broker.example"),
        {"event": "posted", "broker": "https://broker.example"},
    ),
    (
        CodeReady("offer", "mf1q", 1_800_000_000, ("203.0.113.7 (srflx)",), "actpass"),
        {
            "event": "code",
            "kind": "offer",
            "code": "mf1q",
            "expires": 1_800_000_000,
            "discloses": ["203.0.113.7 (srflx)"],
            "role": "actpass",
        },
    ),
    (Words(WORDS), {"event": "words", "words": list(WORDS)}),
    (
        Connected(1, "relay", WORDS, "host", "srflx", 0.0012, "reject 25", 3600.0, "tor"),
        {
            "event": "connected",
            "peer": 1,
            "role": "relay",
            "words": list(WORDS),
            "path": {"local": "host", "remote": "srflx"},
            "rtt_ms": 1.2,
            "policy": "reject 25",
            "lifetime": 3600.0,
            "upstream": "tor",
        },
    ),
    (
        Connected(2, "client", WORDS, None, None, None),
        {
            "event": "connected",
            "peer": 2,
            "role": "client",
            "words": list(WORDS),
            "path": {"local": None, "remote": None},
            "rtt_ms": None,
            "policy": None,
            "lifetime": None,
            "upstream": None,
        },
    ),
    (
        Listening("socks5", "127.0.0.1:1080"),
        {"event": "listening", "protocol": "socks5", "address": "127.0.0.1:1080"},
    ),
    (Leaving(1, 30.0, "time is up"), {"event": "leaving", "peer": 1, "seconds": 30.0, "reason": "time is up"}),
    (Draining(3, 30.0), {"event": "draining", "streams": 3, "seconds": 30.0}),
    (Closed(1, "drained"), {"event": "closed", "peer": 1, "reason": "drained"}),
    (
        Warned.of(MistypedCodeError("mistyped", hint="again")),
        {"event": "warning", "stage": "code", "message": "Mistyped.", "hint": "Again."},
    ),
    (
        Failed.of(ConnectError("never met", hint="try again")),
        {"event": "error", "stage": "connect", "message": "Never met.", "hint": "Try again."},
    ),
    (
        TorChanged("down", 0, "not running", "Tor has ended.", 1.0),
        {
            "event": "tor",
            "state": "down",
            "percent": 0,
            "words": "not running",
            "problem": "Tor has ended.",
            "retry": 1.0,
        },
    ),
    (Renewed(2.5), {"event": "newnym", "seconds": 2.5}),
    (
        Inspected("answer", 1_800_000_000, False, (), "active"),
        {
            "event": "inspected",
            "kind": "answer",
            "expires": 1_800_000_000,
            "expired": False,
            "discloses": [],
            "role": "active",
        },
    ),
    (
        MessageReceived("anna", None, "hi", 1_800_000_000_000, "ab-1"),
        {"event": "message", "from": "anna", "to": None, "text": "hi", "time": 1_800_000_000_000, "id": "ab-1"},
    ),
    (Delivered("1", "anna"), {"event": "delivered", "id": "1", "by": "anna"}),
    (Undelivered("1", "anna", True), {"event": "undelivered", "id": "1", "to": "anna", "final": True}),
    (Joined("anna"), {"event": "joined", "name": "anna"}),
    (Left("anna"), {"event": "left", "name": "anna"}),
    (
        Offered("00ff", 1, "anna", "files", "x", None, 2),
        {
            "event": "offered",
            "transfer": "00ff",
            "peer": 1,
            "from": "anna",
            "kind": "files",
            "name": "x",
            "size": None,
            "files": 2,
        },
    ),
    (
        Progress("00ff", 1, 10, 20, 5.5),
        {"event": "progress", "transfer": "00ff", "peer": 1, "bytes": 10, "total": 20, "rate": 5.5},
    ),
    (
        TransferChanged("00ff", 1, "paused", "by this side"),
        {"event": "transfer", "transfer": "00ff", "peer": 1, "state": "paused", "reason": "by this side", "text": None},
    ),
    (
        Status("relay", "relay", 7, 1.5, False, "relay", ("anna",), ({"peer": 1},), (), {"kind": "direct"}),
        {
            "event": "status",
            "session": "relay",
            "program": "relay",
            "pid": 7,
            "uptime": 1.5,
            "draining": False,
            "name": "relay",
            "who": ["anna"],
            "peers": [{"peer": 1}],
            "transfers": [],
            "upstream": {"kind": "direct"},
        },
    ),
]


@pytest.mark.parametrize(("event", "expected"), SAMPLES, ids=lambda value: type(value).__name__)
def test_machines_see_the_documented_object(event: Event, expected: dict[str, Any]) -> None:
    seen = event.to_json()
    assert seen == expected
    assert next(iter(seen)) == "event"
    assert json.loads(json.dumps(seen)) == expected


def test_the_list_of_events_is_complete_and_each_has_a_sample() -> None:
    defined = {value for value in vars(events).values() if isinstance(value, type) and issubclass(value, Event)} - {
        Event
    }
    assert defined == set(EVENTS) == {type(event) for event, _ in SAMPLES}
    assert len({event.event for event in EVENTS}) == len(EVENTS)


@pytest.mark.parametrize("kind", EVENTS)
def test_events_cannot_be_changed_or_extended(kind: type[Event]) -> None:
    event = next(event for event, _ in SAMPLES if type(event) is kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(event, dataclasses.fields(event)[0].name, None)
    assert not hasattr(event, "__dict__")
