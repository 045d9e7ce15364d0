"""The client's end of a match."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import BrokerRefusedError, ForgedError, RefusedError, WrongWordsError
from mayfly.rendezvous.envelope import Sealed
from mayfly.rendezvous.messages import CloseReason, FriendMatch, FriendPosting, NewMessage
from mayfly.runtime.broker.exchange import Exchange, envelope, to_bytes, to_text
from mayfly.runtime.tasks import TaskSet
from support.fake_broker import HASTY, FakeBroker

QUESTION, REPLY = Sealed(b"question"), Sealed(b"reply")


async def begun(broker: FakeBroker) -> tuple[Exchange, str]:
    await broker.post(FriendPosting(version=1, lifetime=60.0))
    match = await broker.match(FriendMatch(version=1, nameplate="1"))
    return Exchange(broker, match, HASTY), match.match


async def replied(broker: FakeBroker, match: str, n: int = 1) -> None:
    await broker.until(lambda: broker.calls.count("say") >= n)
    await broker.say(match, "t" * 22, NewMessage(n=n, body=to_text(REPLY.encode())))


async def test_a_question_and_its_reply() -> None:
    broker, tasks = FakeBroker(), TaskSet()
    exchange, match = await begun(broker)
    tasks.spawn(replied(broker, match))
    assert await exchange.ask(QUESTION) == REPLY
    await tasks.aclose()


async def test_a_broken_connection_is_bridged_and_nothing_counts_twice() -> None:
    broker, tasks = FakeBroker(), TaskSet()
    exchange, match = await begun(broker)
    broker.lost = ["say"]
    tasks.spawn(replied(broker, match))
    assert await exchange.ask(QUESTION) == REPLY
    assert sum(type(event).__name__ == "Arrived" for event in broker.postings["0" * 15 + "1"].events) == 1
    await tasks.aclose()


async def test_a_relay_that_keeps_silent() -> None:
    broker = FakeBroker()
    exchange, _ = await begun(broker)
    with pytest.raises(RefusedError, match="did not answer"):
        await exchange.ask(QUESTION)


@pytest.mark.parametrize(
    ("reason", "error"),
    [("wrong-word", WrongWordsError), ("failed", RefusedError), ("left", RefusedError), ("expired", RefusedError)],
)
async def test_a_match_that_has_ended(reason: CloseReason, error: type[Exception]) -> None:
    broker = FakeBroker()
    exchange, match = await begun(broker)
    broker.close(match, reason)
    with pytest.raises(error):
        await exchange.ask(QUESTION)


async def test_a_match_that_the_broker_has_forgotten() -> None:
    broker = FakeBroker()
    exchange, _ = await begun(broker)
    broker.restart()
    with pytest.raises(BrokerRefusedError, match="forgotten"):
        await exchange.ask(QUESTION)


async def test_what_the_relay_said_last_is_heard_though_it_has_ended_the_match() -> None:
    broker = FakeBroker()
    exchange, match = await begun(broker)
    await broker.say(match, "t" * 22, NewMessage(n=1, body=to_text(REPLY.encode())))
    broker.close(match, "failed")
    assert await exchange.ask(QUESTION) == REPLY


async def test_an_end_that_nobody_hears_is_no_error() -> None:
    broker = FakeBroker()
    exchange, _ = await begun(broker)
    broker.down = True
    await exchange.end()


@given(st.binary(max_size=200))
def test_bytes_as_text_and_back(data: bytes) -> None:
    assert to_bytes(to_text(data)) == data


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", max_size=200)
    | st.binary(min_size=1, max_size=100).map(lambda data: to_text(Sealed(data).encode()))
)
def test_any_body_is_a_message_or_forged(text: str) -> None:
    try:
        message = envelope(text)
    except ForgedError:
        return
    assert envelope(to_text(message.encode())) == message
