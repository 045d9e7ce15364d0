"""What peers may not do to a room, and what it does not believe."""

from __future__ import annotations

import pytest

from mayfly.chat.events import Delivered, Joined, Left, Named, Received, Undelivered
from mayfly.chat.fates import Fate
from mayfly.chat.records import (
    Half,
    Hello,
    Joins,
    Receipt,
    Record,
    Roster,
    Taken,
    participant_id,
)
from unit.chat.scenes import EVE, EVES, Foreign, room_for_eve, text_of
from unit.chat.town import key_of


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([text_of(1)], "did not begin with HELLO"),
        ([Hello(EVE, "eve"), Hello(EVE, "eve")], "HELLO twice"),
        ([Hello(EVE, "eve"), text_of(1, origin=bytes(16))], "another author"),
        ([Hello(key_of("a"), "eve")], "own key"),
        ([Hello(EVE, "eve"), b"\x05\x80\x00\xff\xff"], "too long"),
        ([Hello(EVE, "eve"), Taken(EVES, 1, ())], "wrong half"),
    ],
)
def test_a_broken_rule_drops_the_session_alone(records: list[Record | bytes], why: str) -> None:
    room = room_for_eve()
    other = Foreign(room, 2)
    other.say(Hello(key_of("ben"), "ben"))
    eve = Foreign(room)
    eve.say(*records)
    assert why in eve.why
    assert room.session_of("ben") == 2
    assert room.receive(1, Half.SAY, b"\xff" * 100, 0.0) == []
    assert all(session == 2 for session, _ in room.pending())


def test_a_relay_cannot_give_us_our_own_words() -> None:
    room = room_for_eve(forwards=False)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve", forwards=True), text_of(1, origin=room.id, sender="ann"))
    assert "another author" in eve.why


def test_a_relay_that_says_somebody_has_our_name_is_not_believed() -> None:
    room = room_for_eve(forwards=False)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve", forwards=True), Roster("ann", ("Ann", "you", "ev\u0435")))
    assert [each.name for each in room.who()] == ["eve", "Ann-2", "you-2", "ev\u0435(mixed)"]
    eve.say(text_of(1, origin=bytes(16), sender="\u202eann\x1b[2J"))
    last = eve.events[-1]
    assert isinstance(last, Received)
    assert last.sender.isprintable() and last.sender.startswith("\ufffd")


def test_rosters_replace_each_other() -> None:
    room = room_for_eve(forwards=False)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve", forwards=True), Roster("ann", ("ben", "cleo")), Roster("ann-2", ("cleo", "dora")))
    names = [(type(each), each.name) for each in eve.events if isinstance(each, Joined | Left | Named)]
    assert names[3:] == [(Named, "ann-2"), (Left, "ben"), (Joined, "dora")]


def test_a_client_cannot_announce_people() -> None:
    room = room_for_eve()
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve"), Roster("ann", ("ben",)), Joins("cleo"))
    assert [each.name for each in room.who()] == ["eve"]


def test_a_relay_cannot_announce_without_end() -> None:
    room = room_for_eve(forwards=False)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve", forwards=True), *(Joins(f"n{number}") for number in range(65)))
    assert "too many people" in eve.why
    # Names of people who are not there are forgotten, the oldest first.
    room = room_for_eve(forwards=False)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve", forwards=True))
    eve.say(*(text_of(n, origin=bytes(16), sender=f"n{n}") for n in range(1, 2000)))
    assert len(room._people[EVES]._aliases) <= 256
    assert len(room._book._taken) < 300


def test_receipts_for_what_was_never_said_change_nothing() -> None:
    room = room_for_eve()
    eve = Foreign(room)
    eve.answer(Taken(room.id, 1, ()))  # before its HELLO
    eve.say(Hello(EVE, "eve"))
    before = list(eve.events)
    eve.answer(Taken(room.id, 9, (("eve", Fate.DELIVERED),)), Receipt(EVES, 1, "x", Fate.GONE))
    assert eve.events == before


def test_a_fate_cannot_be_told_twice_nor_for_somebody_else() -> None:
    room = room_for_eve(forwards=False)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve", forwards=True), Roster("ann", ("ben",)))
    number, _ = room.say("hi", "ben", 0, 0.0)
    before = len(eve.events)
    eve.answer(
        Receipt(room.id, number, "nobody", Fate.DELIVERED),
        Receipt(room.id, number, "ben", Fate.HELD),
        Receipt(room.id, number, "ben", Fate.AWAY),
        Receipt(room.id, number, "ben", Fate.AWAY),
        Taken(room.id, number, (("ben", Fate.HELD),)),
        Receipt(room.id, number, "ben", Fate.DELIVERED),
        Receipt(room.id, number, "ben", Fate.GONE),
    )
    assert eve.events[before:] == [Undelivered(number, "ben", Fate.AWAY, certain=False), Delivered(number, "ben")]


def test_a_message_that_is_not_remembered_is_undelivered() -> None:
    room = room_for_eve(forwards=False)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve", forwards=True))
    number, _ = room.say("hi", "", 0, 0.0)
    eve.answer(Taken(room.id, number, ()))
    assert eve.events[-1] == Undelivered(number, "eve", Fate.GONE, certain=False)


def test_one_cannot_come_back_as_another_by_its_public_id() -> None:
    room = room_for_eve()
    ben = Foreign(room, 2)
    ben.say(Hello(key_of("ben"), "ben"))
    room.disconnect(2, 0.0, lost=True)
    room.say("secret", "ben", 0, 0.0)
    eve = Foreign(room)
    eve.say(Hello(participant_id(key_of("ben")), "ben"))
    assert [each.name for each in room.who()] == ["ben", "ben-2"]
    assert b"secret" not in room.take(1, Half.SAY)


def test_unknown_sessions_are_nobody() -> None:
    room = room_for_eve()
    assert room.receive(7, Half.SAY, b"x", 0.0) == []
    assert room.take(7, Half.BACK) == b""
    assert room.disconnect(7, 0.0, lost=False) == []
