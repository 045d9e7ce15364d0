"""Chat over real sessions joined in memory: who is there, what arrives, and what is said when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import pytest

from mayfly.chat.records import MAX_TEXT
from mayfly.config import ChatConfig
from mayfly.errors import ControlError, Reply, StreamCode, StreamResetError
from mayfly.runtime.events import Delivered, Event, Joined, Left, MessageReceived, Undelivered, Warned
from mayfly.runtime.stream import Stream
from mayfly.services import talk
from mayfly.services.talk import MAX_MISSED, Talk
from mayfly.wire.header import Answer, Header, Service
from support.news import News
from support.sessions import End, joined

E = TypeVar("E", bound=Event)


class Speaker:
    """A Talk whose events are kept, and which serves CHAT streams as a hub does."""

    def __init__(self, user: str, *, forwards: bool = False, config: ChatConfig | None = None) -> None:
        self.events: list[Event] = []
        self.here = True
        self._news = News()
        self.talk = Talk(user, self._tell, forwards=forwards, attended=lambda: self.here, config=config)

    def _tell(self, event: Event) -> None:
        self.events.append(event)
        self._news.ring()

    def serve(self, number: int, tasks: asyncio.TaskGroup) -> Callable[[Stream], None]:
        async def run(stream: Stream) -> None:
            try:
                header = await stream.read_header()
                assert header.service is Service.CHAT
                await self.talk.serve(number, stream)
            except StreamResetError:
                pass

        def begin(stream: Stream) -> None:
            tasks.create_task(run(stream))

        return begin

    async def event(self, kind: type[E], count: int = 1) -> E:
        return await self._news.nth(count, lambda: (event for event in self.events if isinstance(event, kind)))


@asynccontextmanager
async def link(client: Speaker, relay: Speaker, number: int = 1) -> AsyncIterator[tuple[End, End]]:
    """One session between the two: number 1 for the client, `number` for the relay."""
    async with asyncio.TaskGroup() as tasks:
        serving = joined(on_client_stream=client.serve(1, tasks), on_relay_stream=relay.serve(number, tasks))
        async with serving as (near, far):
            client.talk.join(1, near.session)
            relay.talk.join(number, far.session)
            yield near, far
            await client.talk.leave(1, lost=False)
            await relay.talk.leave(number, lost=False)


@asynccontextmanager
async def pair(config: ChatConfig | None = None) -> AsyncIterator[tuple[Speaker, Speaker]]:
    anna, bob = Speaker("anna"), Speaker("bob", config=config)
    async with link(anna, bob):
        await anna.event(Joined)
        await bob.event(Joined)
        yield anna, bob
    await anna.talk.aclose()
    await bob.talk.aclose()


async def test_a_message_arrives_and_its_receipt_comes_back() -> None:
    async with pair() as (anna, bob):
        assert (anna.talk.who(), bob.talk.who()) == (["bob"], ["anna"])
        number, names = anna.talk.say("hello \u202e", None)
        assert names == ["bob"]
        message = await bob.event(MessageReceived)
        assert (message.sender, message.to, message.text) == ("anna", None, "hello \u202e")
        assert await anna.event(Delivered) == Delivered(number, "bob")
        await anna.talk.settled()


async def test_whom_who_names_has_been_told_once_all_is_told() -> None:
    anna, bob = Speaker("anna"), Speaker("bob")
    async with asyncio.timeout(10), link(anna, bob):
        while not anna.talk.who():
            await asyncio.sleep(0)
        assert anna.events == []  # it is told in the next turn
        anna.talk.tell_all()
        assert anna.events == [Joined("bob")]
        anna.talk.say("hi", None)
        await anna.event(Delivered)
        assert [event for event in anna.events if isinstance(event, Joined)] == [Joined("bob")]


async def test_who_has_just_come_has_a_name_once_it_is_introduced() -> None:
    anna, bob = Speaker("anna"), Speaker("bob")
    async with asyncio.timeout(10), link(anna, bob):
        assert anna.talk.name_of(1) is None
        await anna.talk.introduced(1)
        assert anna.talk.name_of(1) == "bob"
        await anna.talk.introduced(1)  # at once
        await anna.talk.introduced(7)  # nobody


async def test_who_says_no_name_is_not_waited_for_beyond_his_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "NAMING", 0.05)
    anna = Speaker("anna")
    async with asyncio.timeout(10), joined() as (near, _far):
        anna.talk.join(1, near.session)
        await anna.talk.introduced(1)
        assert anna.talk.name_of(1) is None
        await anna.talk.aclose()


async def test_the_next_at_a_number_is_not_called_as_the_last_one() -> None:
    """A client gives its next relay the number of one whose link was lost, and keeps that one's name for its return."""
    anna, bob, mallory = Speaker("anna"), Speaker("bob"), Speaker("mallory")
    async with asyncio.timeout(10):
        async with link(anna, bob):
            await anna.talk.introduced(1)
            await anna.talk.leave(1, lost=True)
            assert anna.talk.name_of(1) is None
        async with link(anna, mallory):
            assert anna.talk.name_of(1) is None
            await anna.talk.introduced(1)
            assert anna.talk.name_of(1) == "mallory"


async def test_who_is_meant_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "NAMING", 1000.0)
    anna, bob = Speaker("anna"), Speaker("bob")
    async with asyncio.timeout(10), joined() as (near, _far), link(anna, bob):
        anna.talk.join(2, near.session)  # who never says a name
        await anna.talk.introduced(2, 1, enough="bob")
        assert anna.talk.name_of(1) == "bob"


async def test_who_leaves_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "NAMING", 1000.0)
    anna = Speaker("anna")
    async with asyncio.timeout(10), joined() as (near, _far), asyncio.TaskGroup() as tasks:
        anna.talk.join(1, near.session)
        waiting = tasks.create_task(anna.talk.introduced(1))
        await asyncio.sleep(0)
        await anna.talk.leave(1, lost=True)
        await waiting
        await anna.talk.aclose()


async def test_both_sides_speak_at_once_and_in_order() -> None:
    async with pair() as (anna, bob):
        for count in range(50):
            anna.talk.say(f"a{count}", None)
            bob.talk.say(f"b{count}", "anna")
        await anna.event(MessageReceived, 50)
        await bob.event(MessageReceived, 50)
        heard = [event for event in anna.events if isinstance(event, MessageReceived)]
        assert [event.text for event in heard] == [f"b{count}" for count in range(50)]
        assert {event.to for event in heard} == {"anna"}
        assert len({event.id for event in heard}) == 50


async def test_clients_of_a_relay_hear_each_other_and_private_words_stay_private() -> None:
    relay, anna, bob = Speaker("relay", forwards=True), Speaker("anna"), Speaker("bob")
    async with link(anna, relay, 1), link(bob, relay, 2):
        await anna.event(Joined, 2)
        await bob.event(Joined, 2)
        _number, names = anna.talk.say("to all", None)
        assert sorted(names) == ["bob", "relay"]
        await anna.event(Delivered, 2)
        assert (await bob.event(MessageReceived)).sender == "anna"
        anna.talk.say("to bob", "bob")
        assert (await bob.event(MessageReceived, 2)).to == "bob"
        await anna.event(Delivered, 3)
        assert [event.text for event in relay.events if isinstance(event, MessageReceived)] == ["to all"]
        assert relay.talk.session_of("bob") == 2
        assert relay.talk.name_of(1) == "anna"
        assert anna.talk.session_of("bob") is None  # behind the relay, so no file goes there
    for each in (relay, anna, bob):
        await each.talk.aclose()


async def test_two_of_one_name_are_told_apart() -> None:
    first, second = Speaker("client"), Speaker("client")
    async with link(first, second):
        await first.event(Joined)
        assert first.talk.who() == ["client-2"]
        first.talk.say("x", "client-2")
        await first.event(Delivered)


async def test_what_a_lost_link_did_not_deliver_is_said_and_what_nobody_can_get_too() -> None:
    anna, bob = Speaker("anna"), Speaker("bob")
    async with link(anna, bob) as (near, _far):
        await anna.event(Joined)
        near.link.cut()
        number, _names = anna.talk.say("lost", None)
        await near.session.wait_closed()
        await anna.talk.leave(1, lost=True)
        lost = await anna.event(Undelivered)
        assert lost == Undelivered(number, "bob", final=False, certain=False)
        await anna.talk.settled()
        await anna.event(Left)
        assert anna.talk.who() == []
        unknown, _names = anna.talk.say("nobody", "zoe")
        assert await anna.event(Undelivered, 2) == Undelivered(unknown, "zoe", final=True, certain=True)
    await anna.talk.aclose()
    assert await anna.event(Undelivered, 3) == Undelivered(number, "bob", final=True, certain=False)
    await bob.talk.aclose()


async def test_the_same_program_that_comes_back_gets_what_waited() -> None:
    anna, bob = Speaker("anna"), Speaker("bob")
    async with link(anna, bob) as (near, far):
        await anna.event(Joined)
        await bob.event(Joined)
        near.link.cut()
        far.link.cut()
        anna.talk.say("kept", None)
        await anna.talk.leave(1, lost=True)
        await bob.talk.leave(1, lost=True)
    async with asyncio.TaskGroup() as tasks:
        again = joined(on_client_stream=anna.serve(2, tasks), on_relay_stream=bob.serve(2, tasks))
        async with again as (near, far):
            anna.talk.join(2, near.session)
            bob.talk.join(2, far.session)
            assert (await bob.event(MessageReceived)).text == "kept"
            await anna.event(Delivered)
            await anna.talk.aclose()
            await bob.talk.aclose()


async def test_who_leaves_in_order_is_gone_at_once() -> None:
    anna, bob = Speaker("anna"), Speaker("bob")
    async with link(anna, bob):
        await bob.event(Joined)
        await anna.event(Joined)
        await anna.talk.leave(1, lost=False)
        await bob.event(Left)
        assert bob.talk.who() == []


async def test_a_peer_without_a_chat_is_nobody_in_the_room() -> None:
    anna = Speaker("anna")
    refused = asyncio.Event()

    async with asyncio.TaskGroup() as tasks:

        async def refuse(stream: Stream) -> None:
            await stream.read_header()
            await stream.answer(Answer(Reply.COMMAND_NOT_SUPPORTED))
            stream.reset()
            refused.set()

        def begin(stream: Stream) -> None:
            tasks.create_task(refuse(stream))

        async with joined(on_relay_stream=begin) as (near, _far):
            anna.talk.join(1, near.session)
            await refused.wait()
            assert anna.talk.who() == []
            await anna.talk.leave(1, lost=False)
            await anna.talk.aclose()


async def test_a_second_chat_stream_is_refused() -> None:
    anna, bob = Speaker("anna"), Speaker("bob")
    async with link(anna, bob) as (near, _far):
        await bob.event(Joined)
        stream = await near.session.open_stream(Header(Service.CHAT))
        with pytest.raises(StreamResetError) as caught:
            await stream.read_answer()
        assert caught.value.code == StreamCode.LIMIT


async def test_a_peer_that_breaks_a_rule_is_dropped_with_a_word() -> None:
    bob = Speaker("bob")
    async with asyncio.TaskGroup() as tasks, joined(on_relay_stream=bob.serve(1, tasks)) as (near, far):
        bob.talk.join(1, far.session)
        stream = await near.session.open_stream(Header(Service.CHAT))
        await stream.read_answer()
        await stream.write(b"\xff" * 100)
        assert "chat" in (await bob.event(Warned)).stage
        with pytest.raises(StreamResetError):
            await stream.read()
        await bob.talk.aclose()


async def test_a_peer_that_floods_is_slowed_and_nothing_is_lost() -> None:
    slow = replace(ChatConfig(), record_rate=200.0, record_burst=5.0)
    loop = asyncio.get_running_loop()
    async with pair(slow) as (anna, bob):
        begun = loop.time()
        for count in range(40):
            anna.talk.say(str(count), None)
        await bob.event(MessageReceived, 40)
        await anna.event(Delivered, 40)
    assert loop.time() - begun >= 0.9 * (40 - 5) / 200


async def test_the_chat_does_not_keep_a_session_busy() -> None:
    anna, bob = Speaker("anna"), Speaker("bob")
    async with link(anna, bob) as (near, far):
        await anna.event(Joined)
        await bob.event(Joined)
        async with asyncio.timeout(10):
            await asyncio.gather(near.session.wait_idle(), far.session.wait_idle())
        assert near.session.open_streams == far.session.open_streams == 0


async def test_what_came_while_nobody_was_there_is_kept_and_bounded() -> None:
    async with pair(replace(ChatConfig(), record_burst=10_000.0)) as (anna, bob):
        bob.here = False
        for count in range(MAX_MISSED + 3):
            while not anna.talk._room.ready():
                await asyncio.sleep(0)
            anna.talk.say(str(count), None)
        await bob.event(MessageReceived, MAX_MISSED + 3)
        missed = bob.talk.take_missed()
        assert [message.text for message in missed] == [str(count) for count in range(3, MAX_MISSED + 3)]
        assert bob.talk.take_missed() == []


async def test_what_cannot_be_sent_is_refused() -> None:
    async with pair() as (anna, _bob):
        with pytest.raises(ControlError, match="nothing to say"):
            anna.talk.say("", None)
        with pytest.raises(ControlError, match="too long"):
            anna.talk.say("x" * (MAX_TEXT + 1), None)


async def test_too_much_that_waits_is_said() -> None:
    anna, bob = Speaker("anna", config=replace(ChatConfig(), max_waiting=4, max_share=2)), Speaker("bob")
    async with link(anna, bob) as (near, _far):
        await anna.event(Joined)
        near.link.cut()
        anna.talk.say("1", None)
        anna.talk.say("2", None)
        with pytest.raises(ControlError, match="Too many"):
            anna.talk.say("3", None)
    await anna.talk.aclose()


async def test_nothing_is_left_behind() -> None:
    before = asyncio.all_tasks()
    async with pair() as (anna, _bob):
        anna.talk.say("x", None)
        await anna.talk.settled()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
