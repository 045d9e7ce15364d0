from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from mayfly.errors import LocalProtocolError, Reply
from mayfly.socks.events import Close, Command, End, Event, Request, Send
from mayfly.socks.handshake import Handshake, Reader, State, Table
from mayfly.socks.http_connect import HttpConnect
from mayfly.socks.login import Login
from mayfly.socks.socks4 import Socks4
from mayfly.socks.socks5 import Socks5
from mayfly.wire.address import NOWHERE, Destination


class Toy(Handshake):
    """Two units of three bytes each; the command is the second one's first byte."""

    first = State.GREETING
    table: ClassVar[Table] = {
        State.GREETING: frozenset({State.REQUEST, State.CLOSED}),
        State.REQUEST: frozenset({State.ASKED, State.CLOSED}),
        State.ASKED: frozenset({State.ANSWERED, State.CLOSED}),
        State.ANSWERED: frozenset(),
        State.CLOSED: frozenset(),
    }

    def _make_readers(self) -> Mapping[State, Reader]:
        return {State.GREETING: self._greeting, State.REQUEST: self._ask_for_it}

    def _greeting(self, data: bytes) -> list[Event] | None:
        if len(data) < 3:
            return None
        self._take(3)
        self._move(State.REQUEST)
        return [Send(b"hello")]

    def _ask_for_it(self, data: bytes) -> list[Event] | None:
        if len(data) < 3:
            return None
        self._take(3)
        return self._ask(Request(Command(data[0]), NOWHERE))

    def _too_long(self) -> bytes:
        return b"too long"

    def _encode(self, reply: Reply, bound: Destination, command: Command) -> bytes:
        return bytes([reply, command])


def toy(limit: int = 6) -> Toy:
    return Toy(Login(None), limit)


def test_units_are_read_as_they_become_whole() -> None:
    machine = toy()
    assert machine.receive(b"ab") == []
    assert machine.receive(b"c\x01") == [Send(b"hello")]
    assert machine.receive(b"..early") == [Request(Command.CONNECT, NOWHERE)]
    assert machine.leftover == b"early"
    assert machine.receive(b" bird") == []
    assert machine.leftover == b"early bird"
    assert machine.reply(Reply.SUCCEEDED, NOWHERE) == b"\x00\x01"
    assert machine.state is State.ANSWERED
    assert machine.leftover == b"early bird"


@pytest.mark.parametrize("pieces", [[b"abcdef"], [b"abc", b"def"], [b"a", b"b", b"c", b"d", b"e", b"f"]])
def test_the_limit_counts_what_was_taken_before(pieces: list[bytes]) -> None:
    machine = toy(limit=5)
    events = [event for piece in pieces for event in machine.receive(piece)]
    assert events == [Send(b"hello"), Send(b"too long"), Close(End.TOO_LONG)]
    assert machine.state is State.CLOSED


def test_after_the_end_nothing_is_kept() -> None:
    machine = toy(limit=2)
    assert machine.receive(b"ab") == [Send(b"too long"), Close(End.TOO_LONG)]
    assert machine.receive(b"c" * 100_000) == []
    assert machine.leftover == b""


@pytest.mark.parametrize(
    ("command", "reply", "state"),
    [
        (Command.CONNECT, Reply.SUCCEEDED, State.ANSWERED),
        (Command.UDP_ASSOCIATE, Reply.SUCCEEDED, State.ANSWERED),
        (Command.RESOLVE, Reply.SUCCEEDED, State.CLOSED),
        (Command.RESOLVE_PTR, Reply.SUCCEEDED, State.CLOSED),
        (Command.CONNECT, Reply.NOT_ALLOWED, State.CLOSED),
    ],
)
def test_only_a_connection_outlives_its_reply(command: Command, reply: Reply, state: State) -> None:
    machine = toy()
    machine.receive(b"abc" + bytes([command]) + b"..")
    machine.reply(reply, NOWHERE)
    assert machine.state is state


def test_a_reply_needs_a_request_that_waits() -> None:
    machine = toy()
    with pytest.raises(LocalProtocolError):
        machine.reply(Reply.SUCCEEDED, NOWHERE)
    machine.receive(b"abc\x01..")
    machine.reply(Reply.SUCCEEDED, NOWHERE)
    with pytest.raises(LocalProtocolError):
        machine.reply(Reply.SUCCEEDED, NOWHERE)


def test_a_move_that_the_table_does_not_hold_is_our_own_fault() -> None:
    with pytest.raises(LocalProtocolError):
        toy()._move(State.ANSWERED)


@pytest.mark.parametrize("kind", [Socks5, Socks4, HttpConnect])
def test_each_table_is_closed_and_every_waiting_state_has_its_reader(kind: type[Handshake]) -> None:
    assert set().union(*kind.table.values()) | {kind.first} == set(kind.table)
    assert set(kind(Login(None), 100)._readers) == set(kind.table) - {State.ASKED, State.ANSWERED, State.CLOSED}
