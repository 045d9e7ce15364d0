"""The restraint on paths of a few kinds, on a virtual clock: what waits on them, what they carry, and no standstill."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import MIB
from mayfly.mux.events import Priority, StreamReadable
from mayfly.mux.restraint import LEAST, Restraint
from support.pair import Pair, Path

MESSAGE = 16_384
STEP = 0.001
BIT = 1 << 63


class Greedy:
    """A link that takes all it is given, before a path with a queue that has no end."""

    def __init__(self, rate: float, round_trip: float) -> None:
        self.restraint = Restraint()
        self.rate = rate
        self.round_trip = round_trip
        self.now = 0.0
        self.position = 0
        self.pings = 0
        self.most_waiting = 0.0
        """Bytes in front of the slow part, at most."""
        self._free_at = 0.0
        self._pongs: deque[tuple[float, bytes]] = deque()
        self.restraint.measured(round_trip, 0.0)

    def run(self, seconds: float, offered: float = 1e12) -> float:
        """Let time pass while an application offers so many bytes a second. Gives the bytes a second that left."""
        begin, position = self.now, self.position
        while self.now < begin + seconds:
            self.now += STEP
            while self._pongs and self._pongs[0][0] <= self.now:
                self.restraint.pong(self._pongs.popleft()[1], self.now)
            allowed = position + offered * (self.now - begin)
            while self.position + MESSAGE <= allowed:
                if self.restraint.due(self.position):
                    self.pings += 1
                    opaque = self.restraint.ping(self.position, self.now)
                    self._pongs.append((max(self.now, self._free_at) + self.round_trip, opaque))
                if self.restraint.full(self.position):
                    break
                self.position += MESSAGE
                self._free_at = max(self.now, self._free_at) + MESSAGE / self.rate
                self.most_waiting = max(self.most_waiting, (self._free_at - self.now) * self.rate)
        return (self.position - position) / seconds


@pytest.mark.parametrize(("rate", "round_trip"), [(25e6, 0.05), (25e6, 0.1), (2.5e6, 0.2), (100e6, 0.02), (12e6, 0.3)])
def test_it_fills_the_path_and_not_its_queue(rate: float, round_trip: float) -> None:
    link = Greedy(rate, round_trip)
    link.run(30 * round_trip)  # the start
    assert link.run(12.0) > 0.9 * rate  # with a look at the round trip, for which the queue must be gone
    assert link.most_waiting < rate * max(round_trip, 0.085)


def test_a_path_too_small_for_the_least_gets_no_more_than_that() -> None:
    link = Greedy(100_000, 0.1)
    assert link.run(20.0) > 90_000
    assert link.most_waiting <= LEAST + MESSAGE


def test_a_near_path_has_queues_too() -> None:
    link = Greedy(25e6, 0.002)
    assert link.run(10.0) > 0.95 * 25e6
    assert link.most_waiting < 25e6 * 0.085


def test_before_a_round_trip_is_known_nothing_is_held_back() -> None:
    restraint = Restraint()
    assert not restraint.full(1 << 40) and not restraint.due(1 << 40)


def test_it_asks_a_few_times_a_round_trip() -> None:
    link = Greedy(25e6, 0.1)
    link.run(10.0)
    assert 300 < link.pings < 800


@pytest.mark.parametrize("offered", [500_000, 12e6])
def test_a_slow_application_does_not_make_the_path_seem_slow(offered: float) -> None:
    link = Greedy(25e6, 0.05)
    link.run(5.0)
    window = link.restraint.window
    link.run(8.0, offered=offered)
    assert link.restraint.window >= window * 0.9
    assert link.run(1.0) > 0.9 * 25e6


def test_a_pause_does_not_make_the_path_seem_slow() -> None:
    link = Greedy(25e6, 0.05)
    link.run(5.0)
    window = link.restraint.window
    link.run(3.0, offered=0.0)
    for _ in range(10):
        link.run(0.01)
        assert link.restraint.window >= window * 0.98


def test_no_look_at_the_round_trip_takes_a_queue_for_the_path() -> None:
    link = Greedy(25e6, 0.05)
    link.run(65.0)  # six looks
    assert link.most_waiting < 25e6 * 0.085


def test_a_look_at_the_round_trip_lasts_until_the_queue_is_gone() -> None:
    restraint = Restraint()
    restraint.measured(0.05, 0.0)
    behind_the_queue = restraint.ping(LEAST, 10.0)
    assert restraint.window == LEAST // 3
    restraint.pong(behind_the_queue, 10.3)
    assert restraint.window == LEAST // 3
    alone = restraint.ping(LEAST, 10.3)
    restraint.pong(alone, 10.5)
    assert restraint.window == LEAST
    restraint.pong(restraint.ping(LEAST + 1_000_000, 10.5), 10.8)
    assert restraint.window < 350_000, "a third of 1 MB in 0.3 s, for the 0.2 s that the look found and 40 % more"


def test_the_newest_ping_is_sent_again_where_everything_waits_for_it() -> None:
    restraint = Restraint()
    restraint.measured(0.1, 0.0)
    assert restraint.overdue(LEAST, 9.0) is None, "none was sent"
    restraint.ping(0, 1.0)
    newest = restraint.ping(50_000, 1.5)
    assert restraint.overdue(LEAST, 2.4) is None
    assert restraint.overdue(LEAST - 1, 2.5) is None, "there is room"
    assert restraint.overdue(LEAST, 2.5) == newest
    assert restraint.overdue(LEAST, 3.4) is None
    assert restraint.overdue(LEAST, 3.5) == newest
    restraint.pong(newest, 3.6)
    assert restraint.overdue(LEAST, 9.0) is None, "it has been answered"


def test_a_path_that_gets_slower_gets_less() -> None:
    link = Greedy(25e6, 0.1)
    link.run(5.0)
    link.rate = 2.5e6
    link.run(15.0)
    link.most_waiting = 0.0
    link.run(5.0)
    assert link.most_waiting < 2 * 2.5e6 * 0.1


def test_a_path_that_gets_longer_is_measured_anew() -> None:
    link = Greedy(25e6, 0.05)
    link.run(5.0)
    link.round_trip = 0.2
    link.run(25.0)
    assert link.run(5.0) > 0.85 * 25e6


def test_a_pong_that_answers_nothing_is_ignored() -> None:
    restraint = Restraint()
    restraint.measured(0.1, 0.0)
    first = restraint.ping(50_000, 1.0)
    for opaque in (bytes(8), b"\xff" * 8):
        restraint.pong(opaque, 1.05)
    assert restraint.full(LEAST)
    restraint.pong(first, 1.1)
    assert not restraint.full(LEAST)
    restraint.pong(first, 1.2)
    assert restraint.full(50_000 + restraint.window)


@given(st.lists(st.tuples(st.sampled_from(("send", "pong", "lose", "wait")), st.integers(0, 40)), max_size=200))
def test_it_never_waits_for_an_answer_that_it_has_not_asked_for(steps: list[tuple[str, int]]) -> None:
    """Full means that a PING is out or due; and the newest PONG, which peers never drop, makes room in the end."""
    restraint, position, now = Restraint(), 0, 0.0
    out: list[bytes] = []
    restraint.measured(0.05, now)

    def ask() -> None:
        if restraint.due(position):
            out.append(restraint.ping(position, now))

    for what, amount in steps:
        now += amount / 100 if what == "wait" else 0.0
        if what == "send":
            for _ in range(amount):
                ask()
                if restraint.full(position):
                    break
                position += MESSAGE
        elif what == "pong" and out:
            restraint.pong(out.pop(0), now)
        elif what == "lose" and len(out) > 1:
            out.pop(0)
        if restraint.full(position):
            assert out or restraint.due(position)
    for _ in range(1000):
        ask()
        if not restraint.full(position):
            return
        restraint.pong(out.pop(0), now := now + 0.05)
    raise AssertionError("it stays full")


def test_its_pings_are_not_those_of_liveness() -> None:
    restraint = Restraint()
    assert int.from_bytes(restraint.ping(0, 0.0), "big") == BIT | 1


@pytest.mark.parametrize("restrained", [False, True])
def test_a_session_holds_itself_back_where_its_link_does_not(restrained: bool) -> None:
    """A download over 20 Mbit/s and 100 ms through a link that takes all: the queue on the path stays short."""
    path = Path(latency=0.05, bandwidth=2.5e6, high_water=1 << 30)
    pair = Pair(path=path, restrained=restrained).connect()
    stream = pair.a.mux.open_stream(Priority.BULK)
    got, most, left = 0, 0, 6 * MIB

    def read(event: object) -> None:
        nonlocal got
        if isinstance(event, StreamReadable):
            while data := pair.b.mux.read(event.stream_id, 1 << 16, pair.now)[0]:
                got += len(data)

    pair.b.app = read
    start = pair.now
    while got < 6 * MIB:
        if left:
            left -= pair.a.mux.write(stream, bytes(min(left, MIB)))
        pair.run_until(pair.now + 0.01)
        most = max(most, pair.a.buffered)
    assert (most < 2.5e6 * (0.1 + 0.07)) is restrained
    assert pair.now - start < 1.2 * 6 * MIB / 2.5e6
