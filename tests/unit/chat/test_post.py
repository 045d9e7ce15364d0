"""The post: whom a message goes to, what becomes of it, who is told, and what may be asked once more."""

from __future__ import annotations

from mayfly.chat.events import Delivered, Event, Undelivered
from mayfly.chat.fates import Fate
from mayfly.chat.line import Line
from mayfly.chat.names import NameBook
from mayfly.chat.neighbour import Neighbour
from mayfly.chat.post import Post
from mayfly.chat.records import Half, Message, Receipt, Record, Taken
from mayfly.config import ChatConfig

CONFIG = ChatConfig(max_waiting=3, max_share=3)
US = b"u" * 16


class Desk:
    """A post with what it told and wrote."""

    def __init__(self) -> None:
        self.book = NameBook()
        self.events: list[Event] = []
        self.written: list[tuple[str, Half, Record]] = []
        self.post = Post(
            CONFIG, self.events.append, lambda to, half, record: self.written.append((to.name, half, record))
        )

    def neighbour(self, name: str, *, there: bool = True, relay: bool = False) -> Neighbour:
        one = Neighbour(name.encode().ljust(16), name, self.book, forwards=relay, speaks_for_others=relay)
        one.line = Line(1, CONFIG) if there else None
        return one


def message(author: bytes, number: int) -> Message:
    return Message(author, number, 0, "author", "", "text")


def test_our_own_message_is_kept_until_it_is_delivered() -> None:
    desk = Desk()
    ben = desk.neighbour("ben")
    desk.post.send(message(US, 1), None, [(ben, "ben")], {})
    assert desk.written == [("ben", Half.SAY, Message(US, 1, 0, "author", "ben", "text"))]
    desk.post.taken(ben, Taken(US, 1, (("whatever it calls itself", Fate.DELIVERED),)))
    assert desk.events == [Delivered(1, "ben")]
    assert len(desk.post) == 0 and not ben.outbox
    desk.post.taken(ben, Taken(US, 1, (("ben", Fate.DELIVERED),)))
    assert desk.events == [Delivered(1, "ben")]


def test_a_forwarded_message_is_accounted_for_to_its_author() -> None:
    desk = Desk()
    ann, ben, cleo = desk.neighbour("ann"), desk.neighbour("ben"), desk.neighbour("cleo", there=False)
    desk.post.send(message(ann.id, 1), ann, [(ben, ""), (cleo, "")], {"hub": Fate.DELIVERED})
    fates = (("hub", Fate.DELIVERED), ("ben", Fate.HELD), ("cleo", Fate.AWAY))
    assert desk.written[1:] == [("ann", Half.BACK, Taken(ann.id, 1, fates))]
    desk.post.taken(ben, Taken(ann.id, 1, (("ben", Fate.DELIVERED),)))
    assert desk.written[2:] == [("ann", Half.BACK, Receipt(ann.id, 1, "ben", Fate.DELIVERED))]
    desk.post.again((ann.id, 1), ann)
    fates = (("hub", Fate.DELIVERED), ("ben", Fate.DELIVERED), ("cleo", Fate.AWAY))
    assert desk.written[3:] == [("ann", Half.BACK, Taken(ann.id, 1, fates))]
    desk.post.gone(cleo)
    assert desk.written[4:] == [("ann", Half.BACK, Receipt(ann.id, 1, "cleo", Fate.GONE))]
    assert (ann.id, 1) in desk.post and list(ann.settled) == [(ann.id, 1)]
    desk.post.gone(ann)
    assert len(desk.post) == 0


def test_an_author_that_was_forgotten_and_is_back_is_told_again() -> None:
    desk = Desk()
    ann, ben = desk.neighbour("ann"), desk.neighbour("ben", there=False)
    desk.post.send(message(ann.id, 1), ann, [(ben, "ben")], {})
    ann.line = None
    desk.post.gone(ann)
    assert (ann.id, 1) in desk.post, "it still waits for ben"
    back = desk.neighbour("ann")
    desk.post.again((ann.id, 1), back)
    ben.line = Line(2, CONFIG)
    desk.post.resend(ben)
    desk.post.taken(ben, Taken(ann.id, 1, (("ben", Fate.DELIVERED),)))
    assert desk.written[-1] == (back.name, Half.BACK, Receipt(ann.id, 1, "ben", Fate.DELIVERED))
    assert list(back.settled) == [(ann.id, 1)]


def test_what_is_no_longer_known_was_for_nobody() -> None:
    desk = Desk()
    ann = desk.neighbour("ann")
    desk.post.again((ann.id, 9), ann)
    assert desk.written == [("ann", Half.BACK, Taken(ann.id, 9, ()))]


def test_a_relay_says_whom_a_message_is_for() -> None:
    desk = Desk()
    hub = desk.neighbour("hub", relay=True)
    hub.you = "us"
    desk.post.send(message(US, 1), None, [(hub, "")], {})
    desk.post.taken(hub, Taken(US, 1, (("hub", Fate.DELIVERED), ("ben", Fate.HELD), ("us", Fate.DELIVERED))))
    desk.post.receipt(hub, Receipt(US, 1, "ben", Fate.FULL))
    assert desk.events == [Delivered(1, "hub"), Undelivered(1, "ben", Fate.FULL, certain=True)]
    assert len(desk.post) == 0


def test_a_message_to_everybody_is_for_all_whom_a_relay_has_announced() -> None:
    desk = Desk()
    hub = desk.neighbour("hub", relay=True)
    hub.joined("ben")
    hub.joined("cleo")
    desk.post.send(message(US, 1), None, [(hub, "")], {})
    assert desk.written == [("hub", Half.SAY, message(US, 1))]
    desk.post.taken(hub, Taken(US, 1, (("hub", Fate.DELIVERED), ("ben", Fate.HELD), ("dora", Fate.AWAY))))
    assert desk.events == [
        Delivered(1, "hub"),
        Undelivered(1, "dora", Fate.AWAY, certain=True),
        Undelivered(1, "cleo", Fate.GONE, certain=True),
    ]
    desk.post.gone(hub)
    assert desk.events[3:] == [Undelivered(1, name, Fate.GONE, certain=False) for name in ("ben", "dora")]
    assert len(desk.post) == 0


def test_only_the_first_answer_to_what_was_sent_once_says_who_lacks_it() -> None:
    first = (("hub", Fate.DELIVERED), ("ben", Fate.HELD), ("cleo", Fate.HELD))
    later = (("hub", Fate.DELIVERED), ("ben", Fate.AWAY))
    for twice, answers in ((True, [later]), (False, [first, later])):
        desk = Desk()
        hub = desk.neighbour("hub", relay=True)
        hub.joined("ben")
        hub.joined("cleo")
        desk.post.send(message(US, 1), None, [(hub, "")], {})
        if twice:
            desk.post.resend(hub)
        for fates in answers:
            desk.post.taken(hub, Taken(US, 1, fates))
        assert desk.events == [
            Delivered(1, "hub"),
            Undelivered(1, "ben", Fate.AWAY, certain=False),
            Undelivered(1, "cleo", Fate.GONE, certain=False),
        ]


def test_a_relay_with_no_room_for_a_message_lacks_it_with_all_behind_it() -> None:
    desk = Desk()
    hub = desk.neighbour("hub", relay=True, there=False)
    hub.joined("ben")
    for number in (1, 2, 3, 4):
        desk.post.send(message(US, number), None, [(hub, "")], {})
    assert desk.events[-2:] == [Undelivered(4, name, Fate.FULL, certain=True) for name in ("hub", "ben")]


def test_messages_are_sent_again_in_their_order() -> None:
    desk = Desk()
    ben = desk.neighbour("ben")
    for number in (1, 2, 3, 4):
        desk.post.send(message(US, number), None, [(ben, "")], {})
    assert desk.events == [Undelivered(4, "ben", Fate.FULL, certain=True)]
    desk.post.receipt(ben, Receipt(US, 2, "ben", Fate.DELIVERED))
    desk.post.taken(ben, Taken(US, 2, (("ben", Fate.DELIVERED),)))
    desk.post.lost(ben)
    desk.post.lost(ben)
    away = [Undelivered(number, "ben", Fate.AWAY, certain=False) for number in (1, 3)]
    assert desk.events[1:] == [Delivered(2, "ben"), *away]
    desk.written.clear()
    desk.post.resend(ben)
    assert [record.id for _, _, record in desk.written if isinstance(record, Message)] == [1, 3]
