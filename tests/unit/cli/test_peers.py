"""What the other sides are called."""

from __future__ import annotations

from typing import Any

import pytest

from mayfly.runtime.events import Status
from mayfly_cli.peers import Peers
from mayfly_cli.relayed import made
from unit.cli.played import STATUS


def status(program: str, *peers: dict[str, Any]) -> Status:
    return made(Status, {**STATUS, "program": program, "peers": list(peers)})


@pytest.mark.parametrize(
    ("program", "number", "called"),
    [
        ("relay", 1, "client 1"),
        ("relay", 7, "client 7"),
        ("client", 1, "the relay"),
        ("client", 2, "relay 2"),
        ("chat", 1, "the other side"),
        ("stop", 3, "the other side"),
    ],
)
def test_somebody_of_whom_nothing_was_told(program: str, number: int, called: str) -> None:
    assert Peers(program).called(number) == called


def test_relays_are_counted_once_there_are_several() -> None:
    peers = Peers("client")
    assert peers.connected(1, "relay") == "the relay"
    assert peers.connected(2, "relay") == "relay 2"
    assert peers.called(1) == "relay 1"


def test_a_peer_is_no_relay_and_no_client() -> None:
    assert Peers("relay").connected(3, "peer") == "the other side"


def test_those_of_a_program_that_a_command_is_attached_to() -> None:
    peers = Peers("stop")
    peers.there_already(
        status(
            "relay",
            {"peer": 1, "role": "client", "name": "anna"},
            {"peer": 2, "role": "client", "name": None},
            {"peer": 3, "role": "client", "name": "you)\x1b[2J"},
        )
    )
    assert [peers.called(number) for number in (1, 2, 4)] == ["client 1 (anna)", "client 2", "client 4"]
    assert peers.called(3) == 'client 3 ("you)\\x1b[2J")'


@pytest.mark.parametrize(("program", "called"), [("client", "the relay"), ("peer", "the other side")])
def test_the_one_of_a_program_that_has_one(program: str, called: str) -> None:
    peers = Peers("stop")
    peers.there_already(status(program))
    assert peers.called(1) == called
