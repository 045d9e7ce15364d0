"""One of each event, with the object that machines see: for tests, and for the examples in core/CATALOGUE.md."""

from __future__ import annotations

from typing import Any

from mayfly.errors import ConnectError, MistypedCodeError
from mayfly.runtime.events import (
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

WORDS = ("typhoon", "visitor", "scarf", "ruler", "juice")
PEER: dict[str, Any] = {
    "peer": 1,
    "role": "client",
    "name": "anna",
    "path": {"local": "host", "remote": "srflx"},
    "rtt_ms": 1.2,
    "streams": 3,
    "sent": 5120,
    "received": 700,
    "seconds": 60.25,
}

SAMPLES: list[tuple[Event, dict[str, Any]]] = [
    (
        Posted("https://broker.example"),
        {"event": "posted", "broker": "https://broker.example"},
    ),
    (
        CodeReady("offer", "mf1y5tntuj2…", 1_800_000_000, ("203.0.113.7 (srflx)",), "actpass"),
        {
            "event": "code",
            "kind": "offer",
            "code": "mf1y5tntuj2…",
            "expires": 1_800_000_000,
            "discloses": ["203.0.113.7 (srflx)"],
            "role": "actpass",
        },
    ),
    (Words(WORDS), {"event": "words", "words": list(WORDS)}),
    (
        Connected(1, "relay", WORDS, "host", "srflx", 1.2, "reject 25,465,587,2525; other rules apply", 3600.0, "tor"),
        {
            "event": "connected",
            "peer": 1,
            "role": "relay",
            "words": list(WORDS),
            "path": {"local": "host", "remote": "srflx"},
            "rtt_ms": 1.2,
            "policy": "reject 25,465,587,2525; other rules apply",
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
        Warned.of(MistypedCodeError("only a part of the code is there", hint="copy it again")),
        {
            "event": "warning",
            "stage": "code",
            "message": "Only a part of the code is there.",
            "hint": "Copy it again.",
        },
    ),
    (
        Failed.of(ConnectError("no path between the two computers was found (ICE)", hint="try a TURN server")),
        {
            "event": "error",
            "stage": "connect",
            "message": "No path between the two computers was found (ICE).",
            "hint": "Try a TURN server.",
        },
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
    (
        Undelivered("1", "anna", True, False),
        {"event": "undelivered", "id": "1", "to": "anna", "final": True, "certain": False},
    ),
    (Joined("anna"), {"event": "joined", "name": "anna"}),
    (Left("anna"), {"event": "left", "name": "anna"}),
    (
        Offered("1f0c2b7e", 1, "anna", "files", "film.mkv", 734003200, 1, True),
        {
            "event": "offered",
            "transfer": "1f0c2b7e",
            "peer": 1,
            "from": "anna",
            "kind": "files",
            "name": "film.mkv",
            "size": 734003200,
            "files": 1,
            "only_files": True,
        },
    ),
    (
        Progress("1f0c2b7e", 1, 41943040, 734003200, 5242880.5),
        {
            "event": "progress",
            "transfer": "1f0c2b7e",
            "peer": 1,
            "bytes": 41943040,
            "total": 734003200,
            "rate": 5242880.5,
        },
    ),
    (
        TransferChanged("1f0c2b7e", 1, "paused", "by this side"),
        {
            "event": "transfer",
            "transfer": "1f0c2b7e",
            "peer": 1,
            "state": "paused",
            "reason": "by this side",
            "text": None,
        },
    ),
    (
        Status("relay", "relay", 4711, 61.5, False, "relay", ("anna",), (PEER,), (), {"kind": "direct"}),
        {
            "event": "status",
            "session": "relay",
            "program": "relay",
            "pid": 4711,
            "uptime": 61.5,
            "draining": False,
            "name": "relay",
            "who": ["anna"],
            "peers": [PEER],
            "transfers": [],
            "upstream": {"kind": "direct"},
        },
    ),
]
