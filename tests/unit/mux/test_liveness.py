"""Silence, PING, and the clock of a process that slept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import MIB, MuxConfig
from mayfly.mux.events import Priority
from mayfly.mux.liveness import Liveness
from support.pair import Pair, Path

CONFIG = MuxConfig()


def test_silence_asks_and_then_is_death() -> None:
    liveness = Liveness(CONFIG, 100.0)
    assert liveness.next_timeout() == 104.0
    assert not liveness.silent(103.9)
    assert liveness.silent(104.0)
    liveness.ping(104.0)
    assert not liveness.silent(105.0)
    assert liveness.next_timeout() == 112.0
    assert not liveness.dead(111.9)
    assert liveness.dead(112.0)


def test_a_ping_is_under_way_until_it_is_answered() -> None:
    liveness = Liveness(CONFIG, 100.0)
    before = liveness.asking
    opaque = liveness.ping(100.0)
    during = liveness.asking
    liveness.pong(opaque, 100.1)
    assert (before, during, liveness.asking) == (False, True, False)


def test_anything_heard_is_life() -> None:
    liveness = Liveness(CONFIG, 100.0)
    liveness.ping(104.0)
    liveness.heard(111.9)
    liveness.spoke(111.9)
    assert not liveness.dead(112.0)
    assert liveness.next_timeout() == pytest.approx(119.9)
    assert liveness.dead(119.9)


def test_who_hears_and_has_nothing_to_say_gives_a_sign_of_life() -> None:
    liveness = Liveness(CONFIG, 100.0)
    liveness.spoke(101.0)
    liveness.heard(103.0)
    assert liveness.next_timeout() == 105.0 and not liveness.silent(104.9) and liveness.silent(105.0)
    first = liveness.ping_again(105.0)
    liveness.heard(106.0)  # not the PONG
    assert liveness.next_timeout() == 109.0 and liveness.silent(109.0)
    assert liveness.ping_again(109.0) == first
    assert not liveness.dead(113.9)  # what was heard counts, and asking again is no new deadline
    assert liveness.dead(114.0)


@given(now=st.floats(0, 1e9), after=st.floats(0, 1e3))
def test_the_time_that_is_due_is_late_enough(now: float, after: float) -> None:
    """On any clock: a driver that waits for exactly that time must find it come, or it would spin."""
    liveness = Liveness(CONFIG, now)
    assert liveness.silent(liveness.next_timeout())
    liveness.ping(now + after)
    assert liveness.dead(liveness.next_timeout())


def test_a_process_that_slept_asks_first() -> None:
    liveness = Liveness(CONFIG, 100.0)
    assert not liveness.dead(3700.0)
    assert liveness.silent(3700.0)
    liveness.ping(3700.0)
    assert not liveness.dead(3707.9)
    assert liveness.dead(3708.0)


def test_a_process_that_slept_on_a_ping_waits_for_its_answer_once_more() -> None:
    liveness = Liveness(CONFIG, 100.0)
    liveness.ping(104.0)
    assert not liveness.dead(3700.0)
    assert liveness.next_timeout() == 3708.0
    assert not liveness.dead(3707.9)
    assert liveness.dead(3710.0)  # once, or a clock that is always late would keep a dead link alive


def test_each_sleep_gives_more_time_where_something_was_heard_between_them() -> None:
    liveness = Liveness(CONFIG, 100.0)
    liveness.ping(104.0)
    assert not liveness.dead(3700.0)
    liveness.heard(3701.0)
    assert not liveness.dead(7200.0)
    assert liveness.dead(7208.0)


def test_round_trip() -> None:
    liveness = Liveness(CONFIG, 0.0)
    assert liveness.round_trip is None
    assert liveness.round_trip_or_guess > 0
    liveness.pong(liveness.ping(1.0), 1.2)
    assert liveness.round_trip == pytest.approx(0.2)
    liveness.pong(liveness.ping(2.0), 3.0)
    assert liveness.round_trip == pytest.approx(0.2 * 7 / 8 + 1.0 / 8)
    assert liveness.round_trip_or_guess == liveness.round_trip


def test_a_sample_taken_asleep_does_not_count() -> None:
    liveness = Liveness(CONFIG, 0.0)
    liveness.pong(liveness.ping(1.0), 1.2)
    liveness.pong(liveness.ping(2.0), 3600.0)
    assert liveness.round_trip == pytest.approx(0.2)
    assert liveness.silent(4000.0)


def test_a_pong_that_answers_nothing_is_ignored() -> None:
    liveness = Liveness(CONFIG, 0.0)
    liveness.pong(b"", 1.0)
    liveness.pong(bytes(8), 1.0)
    first = liveness.ping(1.0)
    liveness.pong(b"notmine!", 2.0)
    assert liveness.round_trip is None
    liveness.pong(first, 3.0)
    liveness.pong(first, 9.0)
    assert liveness.round_trip == pytest.approx(2.0)


def test_a_busy_path_is_measured_now_and_then() -> None:
    liveness = Liveness(CONFIG, 0.0)
    assert not liveness.sample_due(100.0)  # the session's first PING comes with HELLO
    opaque = liveness.ping(100.0)
    assert not liveness.sample_due(110.0)
    liveness.pong(opaque, 110.0)
    assert liveness.sample_due(110.0)
    again = liveness.ping(110.0)
    assert again != opaque
    liveness.pong(again, 110.1)
    assert not liveness.sample_due(111.0)


def test_asking_again_asks_the_same_and_the_first_answer_counts() -> None:
    liveness = Liveness(CONFIG, 100.0)
    opaque = liveness.ping_again(100.0)
    assert liveness.ping_again(100.5) == opaque
    liveness.pong(opaque, 100.75)
    liveness.pong(opaque, 101.0)
    assert liveness.round_trip == 0.75
    assert liveness.ping_again(102.0) != opaque


def test_a_peer_whose_own_ping_waits_behind_what_it_sends_is_not_given_up() -> None:
    """A megabyte waits in the sender's channel at 20 kB/s, so its PING leaves after most of a minute; nobody reads."""
    config = MuxConfig(initial_stream_window=MIB)
    pair = Pair(config, path=Path(bandwidth=20_000, high_water=2 * MIB), back=Path()).connect()
    stream = pair.a.mux.open_stream(Priority.BULK)
    left = MIB
    while left:
        left -= pair.a.mux.write(stream, bytes(left))
        pair.flush()
    pair.run_until(pair.now + 60)
    assert pair.a.mux.closed is None and pair.b.mux.closed is None
