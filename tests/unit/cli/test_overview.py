"""`mayfly status` for people."""

from __future__ import annotations

from typing import Any

from mayfly.runtime.events import Status
from mayfly_cli.overview import overview
from mayfly_cli.relayed import event_of
from unit.cli.played import STATUS


def lines(**changes: Any) -> list[str]:
    status = event_of({**STATUS, **changes})
    assert isinstance(status, Status)
    return [line.plain for line in overview(status)]


def test_everything_has_its_line() -> None:
    assert lines() == [
        "relay: a relay, running for 1 minute (process 4711)",
        "  client 1, called anna: directly, through address translation on the other side; round trip 12 ms, "
        "1 connection open, 1.2 kB sent, 3.4 MB received, for 50 seconds",
        "  In the chat: relay (you), anna",
        "  transfer abababab: film.mkv to client 1, 1.0 kB of 2.0 kB, 500 B/s, accepted",
    ]


def test_a_program_alone() -> None:
    assert lines(peers=[], who=[], transfers=[], draining=True) == [
        "relay: a relay, running for 1 minute (process 4711), leaving",
        "  Nobody is connected.",
    ]


def test_what_is_unknown_is_left_out_and_what_is_foreign_escaped() -> None:
    peer = {**STATUS["peers"][0], "name": "x\x1b", "rtt_ms": None, "path": None, "streams": 2}
    transfer = {**STATUS["transfers"][0], "name": "\u202ea", "direction": "in", "total": None, "rate": None}
    text = "\n".join(lines(peers=[peer], transfers=[transfer], who=["y\x9b"]))
    assert 'client 1, called "x\\x1b": directly or through a TURN server, which' in text
    assert "from here; 2 connections open" in text
    assert "\\u202ea from client 1, 1.0 kB, 0 B/s" in text
    assert '"y\\x9b"' in text


def test_a_relays_upstream_and_its_circuits() -> None:
    circuits = [
        {"id": "7", "state": "built", "purpose": "general", "client": 1, "hops": ["guard", "mid\x1b[2J", "exit"]},
        {"id": "8", "state": "built", "purpose": "general", "client": None, "hops": ["guard"]},
        {"id": "9", "state": "extended", "purpose": "general", "client": None, "hops": []},
    ]
    tor = {"kind": "tor", "state": "ready", "percent": 100, "words": "ready", "problem": None, "version": "0.4.9.11"}
    status = Status("relay", "relay", 7, 1.5, False, "relay", (), (), (), {**tor, "circuits": circuits})
    lines = [line.plain for line in overview(status)]
    assert lines[1:3] == ["  Upstream: tor", "  Tor 0.4.9.11: ready, 2 circuits built"]
    assert lines[3].startswith("    client 1: circuit 7 by guard \u2192 mid")
    assert "\x1b" not in "".join(lines)
    direct = Status("relay", "relay", 7, 1.5, False, "relay", (), (), (), {"kind": "direct"})
    assert [line.plain for line in overview(direct)][1] == "  Upstream: direct"
