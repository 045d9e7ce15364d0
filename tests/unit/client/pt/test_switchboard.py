"""Which carrier a connection of tor's gets."""

from __future__ import annotations

import pytest

from mayfly.errors import MayflyError
from mayfly.pt.errors import ArgumentsError
from mayfly.runtime.meeting import Met
from mayfly.socks.events import Command, Credentials, Request
from mayfly.wire.address import Destination
from mayfly.wire.header import Header, Service
from mayfly_client.pt.bridge_line import BridgeLine
from mayfly_client.pt.carrier import Carrier
from mayfly_client.pt.switchboard import MAX_LINES, Refusal, Switchboard
from support.programs_in_memory import Script

PLACEHOLDER = Destination.parse_host("192.0.2.1", 1)


class Nothing:
    """A source that is never asked."""

    def __init__(self) -> None:
        self.closed = False

    async def next(self) -> Met:
        raise AssertionError

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def sources() -> list[Nothing]:
    return []


@pytest.fixture
def refused() -> list[MayflyError]:
    return []


@pytest.fixture
def lines() -> list[tuple[int, BridgeLine]]:
    return []


@pytest.fixture
def board(lines: list[tuple[int, BridgeLine]], refused: list[MayflyError], sources: list[Nothing]) -> Switchboard:
    def make(number: int, line: BridgeLine) -> Carrier:
        lines.append((number, line))
        sources.append(Nothing())
        return Carrier(sources[-1], Script())

    return Switchboard(make, refused.append)


def request(name: bytes, password: bytes = b"\0") -> Request:
    return Request(Command.CONNECT, PLACEHOLDER, Credentials(name, password))


def test_the_same_arguments_share_a_carrier(board: Switchboard, lines: list[tuple[int, BridgeLine]]) -> None:
    first = board.choose(request(b"code=mf1a"))
    assert board.choose(request(b"code=mf1", b"a")) is first
    assert board.choose(request(b"code=mf1b")) is not first
    assert [(number, line.codes) for number, line in lines] == [(1, ("mf1a",)), (2, ("mf1b",))]


async def test_wrong_arguments_are_said_and_fail_each_stream(board: Switchboard, refused: list[MayflyError]) -> None:
    dialler = board.choose(request(b"colour=red"))
    assert isinstance(dialler, Refusal)
    assert len(refused) == 1
    with pytest.raises(ArgumentsError):
        await dialler.open_stream(Header(Service.TCP, PLACEHOLDER))
    with pytest.raises(ArgumentsError):
        await dialler.open_datagrams(lambda _payload: None)


def test_a_connection_without_arguments_is_refused(board: Switchboard, refused: list[MayflyError]) -> None:
    assert isinstance(board.choose(Request(Command.CONNECT, PLACEHOLDER)), Refusal)
    assert "where its relay comes from" in refused[0].message


def test_the_number_of_lines_is_bounded(board: Switchboard, refused: list[MayflyError]) -> None:
    for number in range(MAX_LINES):
        board.choose(request(b"code=mf1a%d" % number))
    assert not refused
    assert isinstance(board.choose(request(b"code=mf1z")), Refusal)
    assert "too many" in refused[0].message


async def test_the_end_ends_all(board: Switchboard, sources: list[Nothing]) -> None:
    board.choose(request(b"code=mf1a"))
    board.choose(request(b"code=mf1b"))
    await board.aclose()
    assert [source.closed for source in sources] == [True, True]
