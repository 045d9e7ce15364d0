from __future__ import annotations

import asyncio
import socket

import pytest

from mayfly.errors import Reply, UpstreamError
from mayfly_relay.reach import wait_reached


class Place:
    """It can be reached after so many attempts."""

    def __init__(self, fails: int, *words: str) -> None:
        self.attempts = 0
        self.fails = fails
        self.words = words or ("away",)
        self.sockets: list[socket.socket] = []

    async def connect(self) -> socket.socket:
        self.attempts += 1
        if self.attempts <= self.fails:
            raise UpstreamError(Reply.NETWORK_UNREACHABLE, self.words[min(self.attempts, len(self.words)) - 1])
        self.sockets.append(socket.socket())
        return self.sockets[-1]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, in no time."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return pauses


async def test_a_place_that_answers_is_left_at_once(slept: list[float]) -> None:
    place, told = Place(0), list[UpstreamError]()
    await wait_reached(place.connect, told.append)
    assert (place.attempts, told, slept) == (1, [], [])
    assert [sock.fileno() for sock in place.sockets] == [-1]


async def test_one_that_does_not_is_told_once_and_tried_ever_more_seldom(slept: list[float]) -> None:
    place, told = Place(6), list[UpstreamError]()
    await wait_reached(place.connect, told.append)
    assert [error.message for error in told] == ["away"]
    assert slept == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert [sock.fileno() for sock in place.sockets] == [-1]


async def test_another_reason_is_told_as_well(slept: list[float]) -> None:
    place, told = Place(5, "away", "away", "its cookie cannot be read"), list[UpstreamError]()
    await wait_reached(place.connect, told.append)
    assert [error.message for error in told] == ["away", "its cookie cannot be read"]
