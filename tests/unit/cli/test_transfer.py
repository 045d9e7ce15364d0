"""`mayfly transfer`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mayfly.errors import UsageError
from mayfly_cli.transfer import ACTIONS, named
from unit.cli.conftest import Command
from unit.cli.played import STATUS, TRANSFER, Played


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("which", [(), ("abab",)])
def test_a_transfer_is_changed(mayfly: Command, runtime_directory: Path, action: str, which: tuple[str, ...]) -> None:
    played = Played()
    with played.listening(runtime_directory):
        assert mayfly("transfer", action, *which).exit_code == 0
    assert played.requests == [{"request": action, "transfer": TRANSFER}]


@pytest.mark.parametrize(
    ("transfers", "which", "words"),
    [
        ([], None, "There is no transfer."),
        (["ab", "ac"], None, "Several transfers"),
        (["ab", "ac"], "a", "Several transfers"),
        (["ab"], "x", "No transfer has such an id."),
    ],
)
def test_it_has_to_be_clear_which(transfers: list[str], which: str | None, words: str) -> None:
    entries: list[dict[str, Any]] = [{"transfer": each} for each in transfers]
    with pytest.raises(UsageError, match=words):
        named(entries, which)


def test_one_transfer_to_many_counts_once() -> None:
    assert named([{"transfer": "ab", "peer": 1}, {"transfer": "ab", "peer": 2}], None) == "ab"


def test_no_such_transfer(mayfly: Command, runtime_directory: Path) -> None:
    played = Played()
    played.answers["status"] = {"status": {**STATUS, "transfers": []}}
    with played.listening(runtime_directory):
        result = mayfly("transfer", "pause")
    assert result.exit_code == 2
    assert "There is no transfer." in result.stderr


def test_an_unknown_action(mayfly: Command) -> None:
    assert mayfly("transfer", "explode").exit_code == 2
