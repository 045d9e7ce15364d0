"""`mayfly status`."""

from __future__ import annotations

import json
from pathlib import Path

from unit.cli.conftest import Command
from unit.cli.played import STATUS, Played


def test_all_programs_are_shown_or_one(mayfly: Command, runtime_directory: Path) -> None:
    first, second = Played(), Played("client")
    second.answers["status"] = {"status": {**STATUS, "session": "client", "program": "client"}}
    with first.listening(runtime_directory), second.listening(runtime_directory):
        everything = mayfly("status")
        one = mayfly("status", "--session", "client", "--json")
    assert everything.exit_code == one.exit_code == 0
    assert "client: a client, running for 1 minute" in everything.stdout
    assert "relay: a relay, running for 1 minute" in everything.stdout
    assert [json.loads(line)["session"] for line in one.stdout.splitlines()] == ["client"]
    assert json.loads(one.stdout)["transfers"] == STATUS["transfers"]


def test_nothing_runs(mayfly: Command) -> None:
    result = mayfly("status")
    assert result.exit_code == 7
    assert "Nothing is running here." in result.stderr


def test_no_such_session(mayfly: Command) -> None:
    result = mayfly("status", "--session", "relay", "--json")
    assert result.exit_code == 7
    assert json.loads(result.stdout)["stage"] == "control"
