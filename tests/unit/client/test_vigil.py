"""Whether a silent relay is dead, on a clock and over paths of the test's own."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.meetconfig import PoolConfig
from mayfly_client.vigil import STEPS, Act, Sign, Stage, Vigil

CONFIG = PoolConfig()


@dataclass
class Path:
    """A relay behind a path that loses packets; without retransmission, so worse than any real one."""

    round_trip: float
    loss: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(5))
    heard: float = 0.0
    answers: list[float] = field(default_factory=list)

    def ask(self, now: float) -> None:
        if self.chance.random() >= self.loss and self.chance.random() >= self.loss:
            heapq.heappush(self.answers, now + self.round_trip)

    def until(self, now: float) -> float:
        """When something was last heard, by now."""
        while self.answers and self.answers[0] <= now:
            self.heard = heapq.heappop(self.answers)
        return self.heard


def watch(path: Path, end: float, *, died: float = float("inf"), alone: bool = False, slow: float = 0.0) -> list[Act]:
    """What is done until `end` or the giving up, with a stream open. That one's time is in `path.answers`."""
    vigil, done = Vigil(CONFIG, 0.0), list[Act]()
    now = 0.0
    while now < end:
        now = max(now, vigil.due) + slow
        act = vigil.look(now, path.until(now), path.round_trip, busy=True, alone=alone)
        done.append(act)
        if act is Act.ASK and now < died:
            path.ask(now)
        if act is Act.GIVE_UP:
            path.answers = [now]
            break
    return done


def test_the_table_has_every_stage_but_the_last_and_every_act() -> None:
    assert {stage for stage, _ in STEPS} == set(Stage) - {Stage.LOST}
    assert {sign for _, sign in STEPS} == set(Sign)
    assert {act for _, act in STEPS.values()} == set(Act)


@pytest.mark.parametrize("round_trip", [0.001, 0.05, 0.3])
def test_a_relay_that_died_under_traffic_is_given_up_within_little_more_than_two_seconds(round_trip: float) -> None:
    vigil, now, heard = Vigil(CONFIG, 0.0), 0.0, 0.0
    died = 60.0
    while True:
        now = vigil.due
        heard = min(now, died)
        act = vigil.look(now, heard, round_trip, busy=True, alone=False)
        if act is Act.GIVE_UP:
            break
        assert act in (Act.NOTHING, Act.ASK, Act.DOUBT)
    assert now - died <= CONFIG.ask_after + CONFIG.give_up + 2 * CONFIG.ask_again


def test_with_idle_streams_it_takes_half_a_second_more() -> None:
    path = Path(0.05)
    assert watch(path, 120.0, died=60.0)[-1] is Act.GIVE_UP
    limit = CONFIG.ask_idle + CONFIG.give_up + 2 * CONFIG.ask_again
    assert path.answers[0] - path.heard <= limit


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.05, 0.1])
def test_a_path_of_300_ms_that_loses_packets_is_not_given_up_in_an_hour(loss: float) -> None:
    done = watch(Path(0.3, loss), 3600.0)
    assert done.count(Act.TRUST) > 2000
    assert Act.GIVE_UP not in done


@given(round_trip=st.floats(0.0, 5.0), slow=st.floats(0.0, 2.0))
def test_a_slow_path_and_a_slow_process_of_ours_are_no_death(round_trip: float, slow: float) -> None:
    assert Act.GIVE_UP not in watch(Path(round_trip), 60.0, slow=slow)


@given(died=st.floats(0.0, 30.0), round_trip=st.floats(0.0, 1.0))
def test_the_dead_are_given_up_in_bounded_time(died: float, round_trip: float) -> None:
    path = Path(round_trip)
    assert watch(path, 120.0, died=died)[-1] is Act.GIVE_UP
    most = CONFIG.ask_idle + max(CONFIG.give_up, 5 * round_trip) + 3 * CONFIG.ask_again
    assert path.answers[0] - max(path.heard, died) <= most


def test_the_only_relay_is_waited_for_longer() -> None:
    path = Path(0.05)
    watch(path, 120.0, died=60.0, alone=True)
    assert CONFIG.alone <= path.answers[0] - path.heard <= CONFIG.alone + CONFIG.ask_idle + 2 * CONFIG.ask_again


def test_nothing_is_asked_of_a_relay_that_owes_us_nothing() -> None:
    vigil = Vigil(CONFIG, 0.0)
    for now in (1.0, 100.0, 1000.0):
        assert vigil.look(now, 0.0, None, busy=False, alone=False) is Act.NOTHING


def test_one_that_others_doubt_is_asked_at_once_and_trusted_when_it_answers() -> None:
    vigil = Vigil(CONFIG, 0.0)
    assert vigil.look(0.1, 0.1, 0.02, busy=False, doubted=True, alone=False) is Act.ASK
    assert vigil.look(vigil.due, 0.12, 0.02, busy=False, doubted=True, alone=False) is Act.TRUST
    assert vigil.stage is Stage.CALM


def test_doubt_comes_before_the_end_and_goes_with_a_sign_of_life() -> None:
    vigil = Vigil(CONFIG, 0.0)
    acts = list[Act]()
    while Act.DOUBT not in acts:
        acts.append(vigil.look(vigil.due, 0.0, 0.02, busy=True, alone=False))
    assert Act.ASK in acts
    now = vigil.due
    assert vigil.look(now, now, 0.02, busy=True, alone=False) is Act.TRUST
