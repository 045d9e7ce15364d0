"""`mayfly stop`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.cli.conftest import Command
from unit.cli.played import Played


@pytest.mark.parametrize(("arguments", "now"), [((), False), (("--now",), True)])
def test_it_returns_when_the_program_has_gone(
    mayfly: Command, runtime_directory: Path, arguments: tuple[str, ...], now: bool
) -> None:
    played = Played()
    played.then["stop"] = [{"event": "draining", "streams": 2, "seconds": 30.0}, {"event": "newer"}]
    played.end_after = "stop"
    with played.listening(runtime_directory):
        result = mayfly("stop", "--json", *arguments)
    assert result.exit_code == 0
    assert played.requests == [{"request": "stop", "now": now}]
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == ["draining"]


def test_a_person_is_told_whose_links_have_ended(mayfly: Command, runtime_directory: Path) -> None:
    played = Played()
    played.then["stop"] = [{"event": "closed", "peer": peer, "reason": "this side has left"} for peer in (1, 2)]
    played.end_after = "stop"
    with played.listening(runtime_directory):
        result = mayfly("stop")
    assert result.stdout.splitlines() == [
        "The link to client 1 (anna) has ended: this side has left.",
        "The link to client 2 has ended: this side has left.",
    ]


def test_nothing_to_stop(mayfly: Command) -> None:
    assert mayfly("stop").exit_code == 7
