"""What a room keeps, how fast it reads, and whom it drops."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.chat.events import Received, Undelivered
from mayfly.chat.fates import Fate
from mayfly.chat.records import (
    MAX_TEXT,
    Hello,
    Receipt,
    Taken,
)
from mayfly.chat.room import Member, Room
from mayfly.config import KIB, ChatConfig
from unit.chat.scenes import EVE, Foreign, dropped, received, star, text_of, told
from unit.chat.town import FAST, Town, key_of


def test_what_waits_for_one_is_bounded_by_author_and_told() -> None:
    config = replace(FAST, max_waiting=10, max_share=6)
    town, hub, (ann, ben, cleo), joints = star("ann", "ben", "cleo", config=config)
    town.lose(joints[1])
    for number in range(8):
        town.say(ann, f"{number}", "ben")
        town.settle()
    assert [each.fate for each in told(town, "ann") if isinstance(each, Undelivered)] == [Fate.AWAY] * 6 + [
        Fate.FULL
    ] * 2
    for number in range(6):
        town.say(cleo, f"{number}", "ben")
        town.settle()
    fates = [each.fate for each in told(town, "cleo") if isinstance(each, Undelivered)]
    assert fates == [Fate.AWAY] * 4 + [Fate.FULL] * 2
    town.join(ben, hub)
    town.settle()
    assert len(received(town, "ben")) == 10
    assert hub.ready("ben") and hub.ready()
    town.check()


def test_a_pipe_sees_when_to_wait() -> None:
    config = replace(FAST, max_waiting=3, max_share=3)
    town = Town(config)
    a, b = town.room("ann"), town.room("ben")
    town.join(a, b)
    town.settle()
    said = 0
    while a.ready():
        town.say(a, "line")
        said += 1
    assert said == 3
    assert not a.ready("ben")
    town.settle()
    assert a.ready() and a.ready("ben")


def test_who_talks_too_fast_is_read_later_and_nothing_is_lost() -> None:
    config = ChatConfig(record_rate=10, record_burst=20)
    room = Room(key_of("a"), "ann", forwards=True, config=config)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve"), *(text_of(number) for number in range(1, 101)))

    def count() -> int:
        return sum(isinstance(each, Received) for each in eve.events)

    assert count() == 19
    now = 0.0
    while (wait := room.wait(1, now)) > 0:
        now += wait
        eve.say(now=now)
        assert count() <= 20 + 10 * now
    assert count() == 100
    assert now == pytest.approx(8.2, abs=0.3)
    assert room.wait(99, now) == 0.0


def test_large_texts_count_by_their_size() -> None:
    config = ChatConfig(byte_rate=1000, byte_burst=20_000)
    room = Room(key_of("a"), "ann", forwards=True, config=config)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve"), *(text_of(number, "x" * MAX_TEXT) for number in range(1, 4)))
    assert sum(isinstance(each, Received) for each in eve.events) == 2
    assert 12 < room.wait(1, 0.0) < 14


def test_a_forwarder_may_say_what_many_say() -> None:
    config = ChatConfig(record_rate=10, record_burst=20)
    room = Room(key_of("a"), "ann", forwards=False, config=config)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve", forwards=True), *(text_of(number) for number in range(1, 101)))
    assert sum(isinstance(each, Received) for each in eve.events) == 100


def test_who_does_not_read_is_dropped() -> None:
    room = Room(key_of("a"), "ann", forwards=True, config=FAST)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve"))
    # False receipts free the room that was kept for it, but not the queue.
    for number in range(1, 200):
        eve.events += room.say("x" * MAX_TEXT, "", 0, 0.0)[1]
        eve.answer(Receipt(room.id, number, "eve", Fate.DELIVERED), Taken(room.id, number, (("eve", Fate.DELIVERED),)))
    assert eve.why == "the other side does not read what is said to it"
    assert room.pending() == []
    assert room.who() == [Member("eve", 1, present=False, direct=True)]


def test_receipts_that_are_not_read_count_as_well() -> None:
    config = replace(FAST, max_waiting=4, max_share=4, max_waiting_bytes=32 * KIB, max_queue=36 * KIB)
    room = Room(key_of("a"), "ann", forwards=True, config=config)
    eve = Foreign(room)
    eve.say(Hello(EVE, "eve"), *(text_of(number) for number in range(1, 2000)))
    assert eve.why == "the other side does not read what is said to it"


def test_a_full_room_admits_nobody_but_forgets_the_longest_away_first() -> None:
    config = replace(FAST, max_participants=2)
    town, hub, (ann, _), joints = star("ann", "ben", config=config)
    cleo = town.room("cleo")
    town.join(cleo, hub)
    town.settle()
    assert dropped(town, "hub") == ["the other side broke a rule of the chat: the room is full"]
    town.lose(joints[0])
    town.heal()
    town.join(cleo, hub)
    town.settle()
    assert [each.name for each in hub.who()] == ["ben", "cleo"]
    town.join(ann, hub)
    town.settle()
    assert len(dropped(town, "hub")) == 2


def test_messages_that_are_done_with_are_let_go() -> None:
    config = replace(FAST, max_waiting=4, max_share=4)
    town, hub, (ann, _), _ = star("ann", "ben", config=config)
    for number in range(30):
        town.say(ann, f"{number}")
        town.settle()
    assert len(hub._post) == 4
    assert len(ann._post) == 0
