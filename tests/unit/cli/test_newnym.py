"""`mayfly relay newnym`."""

from __future__ import annotations

import json
from pathlib import Path

from unit.cli.conftest import Command, FakeProgram
from unit.cli.played import Played


def test_it_asks_the_relay_that_runs_and_starts_none(
    mayfly: Command, runtime_directory: Path, relay_program: FakeProgram
) -> None:
    played = Played()
    played.answers["newnym"] = {"seconds": 9.5}
    with played.listening(runtime_directory):
        result = mayfly("relay", "newnym", "--json")
    assert result.exit_code == 0, result.output
    assert played.requests == [{"request": "newnym"}]
    assert json.loads(result.stdout) == {"event": "newnym", "seconds": 9.5}
    assert relay_program.options == []


def test_where_none_runs(mayfly: Command) -> None:
    assert mayfly("relay", "newnym").exit_code == 7
