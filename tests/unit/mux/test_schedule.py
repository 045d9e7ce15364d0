"""Whose turn it is: classes, round-robin by bytes, and nobody starves."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import MuxConfig
from mayfly.mux.events import Priority
from mayfly.mux.schedule import Scheduler
from mayfly.mux.send import SendPool
from mayfly.mux.stream import MuxStream

QUANTUM, INTERACTIVE, FAIRNESS = 1600, 8000, 16_000


def scheduler() -> Scheduler:
    """An empty one with small numbers."""
    return Scheduler(QUANTUM, INTERACTIVE, FAIRNESS)


def stream(number: int, priority: Priority, size: int = 1 << 20) -> MuxStream:
    """A stream with that many bytes to send."""
    made = MuxStream(number, priority, SendPool(MuxConfig()), 1 << 40, 1000)
    if size:
        made.outgoing.append(bytes(size))
    return made


def serve(schedule: Scheduler, room: int) -> tuple[int, int] | None:
    """One turn: who was served, and with how much."""
    turn = schedule.next()
    if turn is None:
        return None
    size = len(turn.outgoing.take(min(room, turn.allowance)))
    schedule.served(turn, size)
    return turn.id, size


def run(schedule: Scheduler, total: int, room: int = 700) -> Counter[int]:
    """Bytes by stream until `total` were sent."""
    sent = Counter[int]()
    while sum(sent.values()) < total:
        turn = serve(schedule, room)
        assert turn is not None
        sent[turn[0]] += turn[1]
    return sent


@given(count=st.integers(1, 30), room=st.integers(50, 3000), rounds=st.integers(1, 8))
def test_streams_of_a_class_get_the_same(count: int, room: int, rounds: int) -> None:
    schedule = scheduler()
    for number in range(count):
        schedule.add(stream(number, Priority.BULK))
    sent = run(schedule, count * QUANTUM * rounds, room)
    shares = [sent[number] for number in range(count)]
    assert max(shares) - min(shares) <= QUANTUM + QUANTUM // 16 * rounds


def test_a_higher_class_goes_first() -> None:
    schedule = scheduler()
    for number, priority in enumerate(reversed(Priority)):
        schedule.add(stream(number, priority, 100))
    assert [serve(schedule, 700) for _ in range(4)] == [(2, 100), (1, 100), (0, 100), None]


def test_no_class_starves() -> None:
    schedule = scheduler()
    for priority in (Priority.CHAT, Priority.BULK):
        schedule.add(stream(int(priority), priority))
    sent = run(schedule, 20 * FAIRNESS)
    assert sent[Priority.BULK] >= 14 * QUANTUM  # about one turn for each FAIRNESS bytes of others
    assert sent[Priority.CHAT] > 15 * FAIRNESS


def test_an_interactive_stream_that_is_always_full_becomes_bulk_until_it_runs_empty() -> None:
    schedule = scheduler()
    download = stream(0, Priority.INTERACTIVE)
    schedule.add(download)
    run(schedule, 2 * INTERACTIVE)
    keystroke = stream(1, Priority.INTERACTIVE, 10)
    schedule.add(keystroke)
    order = [serve(schedule, 700) for _ in range(4)]
    assert (1, 10) in order
    assert order.index((1, 10)) <= 3  # behind no more than what is left of one turn
    run(schedule, download.outgoing.size)
    assert schedule.next() is None
    download.outgoing.append(bytes(100))
    schedule.add(stream(2, Priority.BULK))
    schedule.add(download)
    assert serve(schedule, 700) == (0, 100)


def test_adding_twice_serves_once() -> None:
    schedule = scheduler()
    one = stream(0, Priority.CHAT, 10)
    schedule.add(one)
    schedule.add(one)
    assert serve(schedule, 700) == (0, 10)
    assert schedule.next() is None


def test_a_small_rest_of_a_turn_is_not_used_up() -> None:
    schedule = scheduler()
    schedule.add(stream(0, Priority.BULK))
    schedule.add(stream(1, Priority.BULK))
    assert [serve(schedule, QUANTUM - 20) for _ in range(4)] == [(n, QUANTUM - 20) for n in (0, 1, 0, 1)]


def test_dropped_streams_come_back_by_add_alone() -> None:
    schedule = scheduler()
    one = stream(0, Priority.BULK)
    schedule.add(one)
    assert schedule.next() is one
    schedule.drop(one)
    assert schedule.next() is None
    schedule.unpark()
    assert schedule.next() is None
    schedule.add(one)
    assert schedule.next() is one


def test_parked_streams_come_back_by_unpark_alone_and_in_order() -> None:
    schedule = scheduler()
    streams = [stream(number, Priority.BULK) for number in range(3)]
    for one in streams:
        schedule.add(one)
    for one in streams:
        assert schedule.next() is one
        schedule.park(one)
    schedule.add(streams[0])
    assert schedule.next() is None
    schedule.unpark()
    assert [serve(schedule, QUANTUM) for _ in range(3)] == [(n, QUANTUM) for n in range(3)]


@pytest.mark.parametrize("where", ["first", "behind", "parked"])
def test_a_forgotten_stream_is_not_served(where: str) -> None:
    schedule = scheduler()
    one, other = stream(0, Priority.BULK), stream(1, Priority.BULK)
    for each in (one, other) if where != "behind" else (other, one):
        schedule.add(each)
    if where == "parked":
        assert schedule.next() is one
        schedule.park(one)
    one.outgoing.discard()
    schedule.forget(one)
    schedule.unpark()
    assert run(schedule, 10 * QUANTUM).keys() == {1}


def test_parked_streams_that_were_reset_are_not_held() -> None:
    """A peer without credit to give could otherwise open, be answered, and reset, without end."""
    schedule = scheduler()
    for number in range(100):
        one = stream(number, Priority.BULK, 1)
        schedule.add(one)
        assert schedule.next() is one
        schedule.park(one)
        one.outgoing.discard()
        schedule.forget(one)
    assert not schedule._parked  # what it holds shows nowhere else


def test_clear() -> None:
    schedule = scheduler()
    schedule.add(stream(0, Priority.BULK))
    schedule.clear()
    assert schedule.next() is None and schedule.waiting == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "serve", "drop", "park", "unpark", "forget"]), st.integers(0, 5)),
        min_size=40,
        max_size=80,
    )
)
def test_no_stream_is_lost_or_doubled_by_any_order_of_calls(calls: list[tuple[str, int]]) -> None:
    schedule = scheduler()
    streams = [stream(number, Priority(number % len(Priority)), 5000) for number in range(6)]
    ready: set[int] = set()
    parked: set[int] = set()
    for call, number in calls:
        one = streams[number]
        turn = schedule.next()
        assert (turn is None) == (not ready) and schedule.waiting == len(ready)
        assert turn is None or turn.id in ready
        if call == "add" and one.wants_to_send:
            schedule.add(one)
            ready |= {number} - parked
        elif call == "serve" and turn is not None:
            served = serve(schedule, 700)
            assert served == (turn.id, served[1]) if served else False
            if not turn.wants_to_send:
                ready.discard(turn.id)
        elif call == "drop" and turn is not None:
            schedule.drop(turn)
            ready.discard(turn.id)
        elif call == "park" and turn is not None:
            schedule.park(turn)
            ready.discard(turn.id)
            parked.add(turn.id)
        elif call == "unpark":
            schedule.unpark()
            ready |= {number for number in parked if streams[number].wants_to_send}
            parked.clear()
        elif call == "forget":
            one.outgoing.discard()
            schedule.forget(one)
            ready.discard(number)
            parked.discard(number)
            assert ready or not any(schedule._queues), "what is forgotten takes no memory"
    while (turn := schedule.next()) is not None:
        assert turn.id in ready
        turn.outgoing.discard()
        schedule.served(turn, 0)
        ready.remove(turn.id)
    assert not ready
