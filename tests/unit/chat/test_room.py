"""One room with its neighbours: joining, speaking, forwarding, receipts, and absence."""

from __future__ import annotations

import pytest

from mayfly.chat.events import Delivered, Joined, Left, Named, Received, Undelivered
from mayfly.chat.fates import Fate
from mayfly.chat.records import (
    MAX_TEXT,
    ChatError,
    Half,
)
from mayfly.chat.room import Member, Room
from unit.chat.scenes import dropped, pair, received, star, told
from unit.chat.town import FAST, Town, key_of

# Two peers


def test_two_peers_see_each_other_and_talk() -> None:
    town, a, b, joint = pair()
    assert a.who() == [Member("ben", joint.number, present=True, direct=True)]
    assert town.events["ben"] == [Joined("ann", joint.number)]
    number = town.say(a, "hello")
    town.say(b, "back", "ann")
    town.settle()
    message = Received(a.id, number, "ann", False, "hello", 1_700_000_000_000, joint.number)
    assert [each for each in town.events["ben"] if isinstance(each, Received)] == [message]
    assert received(town, "ann") == [("ben", "back", True)]
    assert told(town, "ann") == [Delivered(number, "ben")]


def test_of_two_of_one_name_each_is_itself_and_calls_the_other_a_second() -> None:
    town = Town()
    a, b = town.room("ann"), town.room("ben", as_name="ann")
    joint = town.join(a, b)
    town.settle()
    assert [each.name for each in a.who()] == ["ann-2"]
    assert Named("ann-2", joint.number) in town.events["ann"]
    number = town.say(a, "only you", "ann-2")
    town.said[a.id, number] = ("ben", "only you")
    town.settle()
    assert received(town, "ben") == [("ann-2", "only you", True)]
    assert told(town, "ann") == [Delivered(number, "ann-2")]


def test_alone_a_message_has_no_addressee() -> None:
    room = Room(key_of("a"), "ann", forwards=False, config=FAST)
    assert room.say("hi", "", 0, 0.0) == (1, [Undelivered(1, "", Fate.UNKNOWN, certain=True)])
    assert room.say("hi", "ben", 0, 0.0) == (2, [Undelivered(2, "ben", Fate.UNKNOWN, certain=True)])
    assert Undelivered(1, "", Fate.UNKNOWN, certain=True).final


def test_texts_are_carried_as_they_are() -> None:
    town, a, _, _ = pair()
    text = "\x00\x1b[31m\u202e\r\n\u200b" + "\U0001f600" * 4000
    town.say(a, text)
    town.settle()
    assert [each.text for each in town.events["ben"] if isinstance(each, Received)] == [text]


def test_a_text_that_cannot_be_utf8_is_made_so_and_one_too_long_refused() -> None:
    town, a, _, _ = pair()
    number, events = a.say("caf\udce9", "", -5, 0.0)
    town.said[a.id, number] = ("", "caf?")
    town.note(a, events)
    town.settle()
    assert [(each.text, each.time) for each in town.events["ben"] if isinstance(each, Received)] == [("caf?", 0)]
    with pytest.raises(ChatError):
        a.say("é" * (MAX_TEXT // 2) + "x", "", 0, 0.0)


# A relay with clients


def test_clients_see_each_other_through_the_relay() -> None:
    town, hub, (ann, _), joints = star("ann", "ben")
    assert [(each.name, each.direct) for each in ann.who()] == [("hub", True), ("ben", False)]
    assert [each.name for each in hub.who()] == ["ann", "ben"]
    assert Joined("ben", joints[0].number) in town.events["ann"]
    number = town.say(ann, "all")
    town.settle()
    assert received(town, "hub") == received(town, "ben") == [("ann", "all", False)]
    assert sorted(told(town, "ann"), key=str) == [Delivered(number, "ben"), Delivered(number, "hub")]
    assert received(town, "ann") == []


def test_the_relay_s_own_user_speaks_to_all() -> None:
    town, hub, _, _ = star("ann", "ben")
    town.say(hub, "welcome")
    town.settle()
    assert received(town, "ann") == received(town, "ben") == [("hub", "welcome", False)]
    assert {each.by for each in told(town, "hub") if isinstance(each, Delivered)} == {"ann", "ben"}


def test_a_private_message_reaches_one() -> None:
    town, _, (ann, _, _), _ = star("ann", "ben", "cleo")
    number = town.say(ann, "psst", "ben")
    town.settle()
    assert received(town, "ben") == [("ann", "psst", True)]
    assert received(town, "hub") == received(town, "cleo") == []
    assert told(town, "ann") == [Delivered(number, "ben")]
    to_hub = town.say(ann, "you", "hub")
    town.settle()
    assert received(town, "hub") == [("ann", "you", True)]
    assert told(town, "ann")[1:] == [Delivered(to_hub, "hub")]


def test_two_clients_of_one_name_are_told_apart() -> None:
    town, hub, (_, second), joints = star("ann", "ben")
    third = town.room("cleo", as_name="ANN")
    joint = town.join(third, hub)
    town.settle()
    assert [each.name for each in hub.who()] == ["ann", "ben", "ANN-2"]
    assert town.events["cleo"].count(Named("ANN-2", joint.number)) == 1
    assert Joined("ANN-2", joints[0].number) in town.events["ann"]
    # For whoever bears the taken name, the other is the one with a number.
    assert {each.name for each in third.who()} == {"hub", "ann-2", "ben"}
    assert {each.name for each in second.who()} == {"hub", "ann", "ANN-2"}


def test_a_client_of_two_relays_carries_nothing_between_them() -> None:
    town = Town()
    north, south = town.room("north", forwards=True), town.room("south", forwards=True)
    ann, ben, cleo = town.room("ann"), town.room("ben"), town.room("cleo")
    for client, relay in ((ann, north), (ann, south), (ben, north), (cleo, south)):
        town.join(client, relay)
    town.settle()
    assert {each.name for each in ann.who()} == {"north", "south", "ben", "cleo"}
    assert {each.name for each in ben.who()} == {"north", "ann"}
    town.say(ben, "from the north")
    number = town.say(ann, "to both")
    private = town.say(ann, "just you", "cleo")
    town.settle()
    assert received(town, "cleo") == [("ann", "to both", False), ("ann", "just you", True)]
    assert received(town, "south") == [("ann", "to both", False)]
    assert {e.by for e in told(town, "ann") if isinstance(e, Delivered) and e.id == number} == {
        "north",
        "south",
        "ben",
        "cleo",
    }
    assert Delivered(private, "cleo") in told(town, "ann")


def test_two_relays_are_just_peers_of_each_other() -> None:
    town, hub, (ann,), _ = star("ann")
    other = town.room("rex", forwards=True)
    town.join(hub, other)
    town.settle()
    assert {each.name for each in hub.who()} == {"ann", "rex"}
    assert {each.name for each in other.who()} == {"hub"}
    assert {each.name for each in ann.who()} == {"hub"}
    town.say(ann, "inside")
    town.say(hub, "both ways")
    town.say(other, "hello hub")
    town.settle()
    assert received(town, "rex") == [("hub", "both ways", False)]
    assert received(town, "ann") == [("hub", "both ways", False)]
    assert received(town, "hub") == [("ann", "inside", False), ("rex", "hello hub", False)]
    town.check()


# Absence


def test_what_a_lost_link_swallowed_is_reported_and_sent_when_the_same_one_is_back() -> None:
    town, a, b, joint = pair()
    number = town.say(a, "lost")
    town.lose(joint)
    assert told(town, "ann") == [Undelivered(number, "ben", Fate.AWAY, certain=False)]
    later = town.say(a, "and this")
    assert told(town, "ann")[1:] == [Undelivered(later, "ben", Fate.AWAY, certain=True)]
    assert a.who() == [Member("ben", joint.number, present=False, direct=True)]
    again = town.join(a, b)
    town.settle()
    assert received(town, "ben") == [("ann", "lost", False), ("ann", "and this", False)]
    assert told(town, "ann")[2:] == [Delivered(number, "ben"), Delivered(later, "ben")]
    assert town.events["ann"].count(Joined("ben", again.number)) == 1
    assert a.next_timeout() is None


def test_a_receipt_that_was_lost_is_asked_for_again_and_the_message_shown_once() -> None:
    town, _, (ann, _), joints = star("ann", "ben")
    number = town.say(ann, "once")
    say = next(pipe for pipe in joints[0].pipes if pipe.source is ann and pipe.half is Half.SAY)
    town.move(joints[0], say, 1000)
    town.lose(joints[0])
    town.settle()
    assert received(town, "ben") == [("ann", "once", False)]
    assert told(town, "ann") == [Undelivered(number, who, Fate.AWAY, certain=False) for who in ("hub", "ben")]
    town.join(ann, town.rooms["hub"])
    town.settle()
    assert sorted(told(town, "ann")[2:], key=str) == [Delivered(number, "ben"), Delivered(number, "hub")]
    assert received(town, "ben") == received(town, "hub") == [("ann", "once", False)]


def test_an_author_is_told_of_all_behind_a_relay_that_is_gone() -> None:
    """The relay may have passed it on or not, and nobody is left who could say."""
    town, _, (ann, _), joints = star("ann", "ben")
    number = town.say(ann, "to all")
    town.lose(joints[0])
    town.pass_time(FAST.keep_away)
    for fate in (Fate.AWAY, Fate.GONE):
        for who in ("hub", "ben"):
            assert Undelivered(number, who, fate, certain=False) in town.events["ann"]


def test_whoever_had_left_before_a_relay_took_a_message_is_told_of() -> None:
    town, hub, (ann, _), joints = star("ann", "ben")
    number = town.say(ann, "to all")
    town.note(hub, hub.disconnect(joints[1].number, town.now, lost=False))
    town.settle()
    assert Delivered(number, "hub") in town.events["ann"]
    assert Undelivered(number, "ben", Fate.GONE, certain=True) in town.events["ann"]


def test_what_was_never_sent_surely_did_not_arrive() -> None:
    town, a, _, joint = pair()
    town.lose(joint)
    number = town.say(a, "to nobody")
    town.pass_time(FAST.keep_away)
    assert told(town, "ann")[-1] == Undelivered(number, "ben", Fate.GONE, certain=True)


def test_an_author_learns_that_another_client_is_away_and_then_that_it_has_it() -> None:
    town, hub, (ann, ben), joints = star("ann", "ben")
    town.lose(joints[1])
    town.settle()
    assert [each.name for each in ann.who()] == ["hub"]
    number = town.say(ann, "for when you are back", "ben")
    town.settle()
    assert told(town, "ann") == [Undelivered(number, "ben", Fate.AWAY, certain=True)]
    town.join(ben, hub)
    town.settle()
    assert told(town, "ann")[1:] == [Delivered(number, "ben")]
    assert [type(each) for each in town.events["ann"] if getattr(each, "name", "") == "ben"] == [Joined, Left, Joined]


def test_who_does_not_come_back_is_forgotten_and_the_message_given_up() -> None:
    town, hub, (ann, _), joints = star("ann", "ben")
    town.lose(joints[1])
    number = town.say(ann, "too late", "ben")
    town.settle()
    timeout = hub.next_timeout()
    assert timeout == FAST.keep_away
    town.pass_time(timeout - 1)
    assert told(town, "ann")[-1] == Undelivered(number, "ben", Fate.AWAY, certain=True)
    town.pass_time(1)
    town.settle()
    assert told(town, "ann")[-1] == Undelivered(number, "ben", Fate.GONE, certain=False)
    assert [each.name for each in hub.who()] == ["ann"]
    assert hub.next_timeout() is None


def test_whom_a_relay_gives_up_may_have_come_back_in_between() -> None:
    """The author was told that ben lacks it for sure; then ben had it, and his receipt was lost."""
    town, hub, (ann, ben), joints = star("ann", "ben")
    town.lose(joints[1])
    number = town.say(ann, "x", "ben")
    town.settle()
    back = town.join(ben, hub)
    while not received(town, "ben"):
        for pipe in back.pipes:
            if pipe.source is hub or pipe.half is Half.SAY:
                town.move(back, pipe, 1000)
    town.lose(back)
    town.pass_time(FAST.keep_away)
    town.settle()
    assert told(town, "ann") == [
        Undelivered(number, "ben", Fate.AWAY, certain=True),
        Undelivered(number, "ben", Fate.GONE, certain=False),
    ]


def test_who_leaves_in_good_order_is_forgotten_at_once() -> None:
    town, hub, (ann, ben), joints = star("ann", "ben")
    town.leave(joints[1], ben)
    town.settle()
    assert [each.name for each in hub.who()] == ["ann"]
    assert Left("ben", joints[0].number) in town.events["ann"]
    assert Left("ben", joints[1].number) in town.events["hub"]
    number = town.say(ann, "hm", "ben")
    town.settle()
    assert told(town, "ann") == [Undelivered(number, "ben", Fate.UNKNOWN, certain=True)]
    assert hub.disconnect(joints[1].number, 0.0, lost=True) == []


def test_the_same_participant_by_a_new_session_takes_over() -> None:
    town, hub, (ann, _), joints = star("ann", "ben")
    town.lose(joints[0], ann)  # the relay has not noticed
    number = town.say(hub, "hello", "ann")
    town.join(ann, hub)
    town.settle()
    assert dropped(town, "hub") == ["the same participant has come by a newer session"]
    assert received(town, "ann") == [("hub", "hello", True)]
    assert told(town, "hub") == [Delivered(number, "ann")]
    assert not any(isinstance(each, Left) for each in town.events["ben"])
    assert hub.session_of("ann") == town.joints[-1].number


def test_closing_reports_what_is_open() -> None:
    town, a, _, _ = pair()
    number = town.say(a, "never")
    assert a.close() == [Undelivered(number, "ben", Fate.GONE, certain=False)]
    assert a.pending() == [] and a.who() == []


def test_files_find_the_session_of_a_name() -> None:
    _, hub, (ann, _), joints = star("ann", "ben")
    assert hub.session_of("ben") == joints[1].number
    assert ann.session_of("hub") == joints[0].number
    assert ann.session_of("ben") is None
    assert ann.session_of("nobody") is None
