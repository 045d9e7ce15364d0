"""A neighbour: our names for it and for those behind it, and the room that it has for messages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.chat.fates import Fate
from mayfly.chat.names import NameBook
from mayfly.chat.neighbour import Leg, Neighbour
from mayfly.chat.records import ChatError, Message
from mayfly.config import ChatConfig

ANN, BEN = b"a" * 16, b"b" * 16
SMALL = ChatConfig(max_waiting=4, max_share=3, max_waiting_bytes=1000)


def relay(book: NameBook | None = None) -> Neighbour:
    """A neighbour with people behind it."""
    return Neighbour(b"r" * 16, "rex", book or NameBook(), forwards=True, speaks_for_others=True)


def leg(number: int, author: bytes = ANN, size: int = 10) -> Leg:
    """A message for a neighbour."""
    return Leg(Message(author, number, 0, "ann", "", "x" * size), size, {"rex": Fate.HELD})


def test_names_behind_it_are_ours_and_lead_back() -> None:
    book = NameBook()
    book.claim("ann")
    neighbour = relay(book)
    assert neighbour.joined("ann") == "ann-2"
    assert neighbour.joined("ann") is None
    assert neighbour.raw_of("ann-2") == "ann"
    assert neighbour.raw_of("rex") == "rex"
    assert neighbour.raw_of("ben") is None
    assert neighbour.others() == ["ann-2"]
    assert neighbour.left("ann") == "ann-2"
    assert neighbour.left("ann") is None
    assert neighbour.alias("ann") == "ann-2", "who has left keeps the name, since receipts may still bear it"
    neighbour.release_names()
    assert book.claim("rex") == "rex" and book.claim("ann") == "ann-2"


def test_whoever_speaks_for_itself_has_nobody_behind_it() -> None:
    neighbour = Neighbour(BEN, "ben", NameBook(), forwards=False, speaks_for_others=False)
    assert neighbour.joined("ann") is None
    assert neighbour.alias("ann") == "ben"


def test_it_and_we_are_not_behind_it() -> None:
    neighbour = relay()
    neighbour.you = "ann"
    assert neighbour.joined("rex") is None
    assert neighbour.joined("ann") is None


def test_the_number_of_people_behind_it_is_bounded() -> None:
    neighbour = relay()
    for number in range(64):
        assert neighbour.joined(f"n{number}")
    with pytest.raises(ChatError):
        neighbour.joined("one more")


def test_names_of_the_absent_are_forgotten_before_those_of_the_present() -> None:
    neighbour = relay()
    neighbour.joined("here")
    for number in range(1000):
        neighbour.alias(f"n{number}")
        assert len(neighbour._aliases) <= 256
    assert neighbour.raw_of("here") == "here"
    assert neighbour.raw_of("n0") is None


def test_room_is_shared_out_by_number_and_by_bytes() -> None:
    neighbour = relay()
    for number in range(1, 4):
        assert neighbour.has_room(ANN, 10, SMALL)
        neighbour.add(leg(number))
    assert not neighbour.has_room(ANN, 10, SMALL)
    assert neighbour.has_room(BEN, 500, SMALL)
    assert not neighbour.has_room(BEN, 501, SMALL)
    neighbour.add(leg(1, BEN, 500))
    assert not neighbour.has_room(b"c" * 16, 1, SMALL)
    assert not neighbour.has_room(b"c" * 16, 471, replace(SMALL, max_waiting=9))
    for each in list(neighbour.outbox.values()):
        neighbour.remove(each)
    assert neighbour.has_room(ANN, 500, SMALL)
    assert not neighbour._shares


def test_a_leg_is_over_when_all_fates_are_known() -> None:
    delivered = {"rex": Fate.DELIVERED}
    message = leg(1).message
    assert not Leg(message, 1, delivered).over, "the neighbour has not said whom it is for"
    assert Leg(message, 1, delivered, whole=True).over
    assert not Leg(message, 1, {**delivered, "ben": Fate.AWAY}, whole=True).over
