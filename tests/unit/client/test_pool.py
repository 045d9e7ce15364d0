"""Which relays a client wants and chooses, on a clock of the test's own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.meetconfig import PoolConfig
from mayfly_client.pool import STATES, Pool, State, Step

CONFIG = PoolConfig(relays=2, backoff=1.0, max_backoff=8.0)
HOUR = 3600.0


def pool(*lifetimes: float | None, config: PoolConfig = CONFIG) -> Pool:
    """A pool with these relays, numbered from 1, at time 0."""
    made = Pool(config)
    for number, lifetime in enumerate(lifetimes, 1):
        join(made, number, lifetime=lifetime)
    return made


def join(made: Pool, number: int, now: float = 0.0, *, lifetime: float | None = HOUR, load: float = 0.0) -> None:
    assert made.fetch(now)
    made.matched(f"posting {number}")
    made.fetched(number, f"posting {number}", load, lifetime, now)


def test_every_state_and_step_is_in_the_table() -> None:
    assert STATES.keys() == {(state, step) for state in State for step in Step}


def test_as_many_as_wanted_are_fetched_one_match_at_a_time() -> None:
    made = Pool(CONFIG)
    assert made.fetch(0.0)
    assert not made.fetch(0.0)
    made.matched("a")
    assert made.excluded(0.0) == ("a",)
    assert made.fetch(0.0)
    made.matched("b")
    assert not made.fetch(0.0)
    made.fetched(1, "a", 0.0, HOUR, 0.0)
    made.fetched(2, "b", 0.0, HOUR, 0.0)
    assert not made.fetch(0.0)
    assert set(made.excluded(0.0)) == {"a", "b"}


def test_failures_pause_and_are_not_asked_for_again() -> None:
    made = Pool(CONFIG)
    assert made.fetch(0.0)
    made.matched("a")
    made.failed("a", 0.0, 0.0)
    assert made.next_timeout(0.0) == 0.5
    assert not made.fetch(0.4)
    assert made.fetch(0.5)
    assert made.excluded(0.5) == ("a",)
    made.failed(None, 0.0, 0.5)
    assert made.next_timeout(0.5) == 1.5
    assert made.excluded(CONFIG.forget_failures + 1) == ()


def test_a_broker_s_wish_to_wait_is_kept() -> None:
    made = Pool(CONFIG)
    assert made.fetch(0.0)
    made.failed(None, 0.0, 0.0, asked=5.0)
    assert not made.fetch(4.9)
    assert made.fetch(5.0)


def test_where_nobody_else_is_left_those_that_failed_will_do() -> None:
    made = Pool(CONFIG)
    assert made.fetch(0.0)
    made.matched("a")
    made.failed("a", 0.0, 0.0)
    made.nobody()
    assert made.excluded(1.0) == ()
    with_one = pool(HOUR)
    with_one.gone(1, 0.0, failed=True)
    join(with_one, 2)
    with_one.nobody()
    assert "posting 1" in with_one.excluded(1.0)


def test_memory_of_failures_is_bounded() -> None:
    made = Pool(CONFIG)
    for number in range(100):
        made.failed(f"posting {number}", 0.0, 0.0)
    assert len(made.excluded(0.0)) == CONFIG.max_failures


def test_a_replacement_is_fetched_before_the_told_end() -> None:
    made = pool(HOUR, 10 * HOUR)
    assert made.next_timeout(0.0) == HOUR - CONFIG.replace_ahead
    assert not made.fetch(HOUR - CONFIG.replace_ahead - 1)
    assert made.fetch(HOUR - CONFIG.replace_ahead)
    assert made.members[1].state is State.OPEN


def test_a_short_lifetime_is_replaced_in_its_last_quarter() -> None:
    made = pool(40.0, HOUR)
    assert not made.fetch(29.0)
    assert made.fetch(30.0)


@pytest.mark.parametrize("step", [Step.GOAWAY, Step.SILENT])
def test_a_relay_that_leaves_or_falls_silent_is_replaced_at_once(step: Step) -> None:
    made = pool(HOUR, HOUR)
    made.step(1, step)
    assert made.fetch(0.0)


def test_never_more_than_twice_as_many() -> None:
    made = pool(HOUR, HOUR)
    for number in (3, 4):
        made.step(number - 2, Step.SILENT)
        join(made, number)
    made.step(3, Step.SILENT)
    assert not made.fetch(0.0)
    made.gone(1, 0.0, failed=True)
    assert made.fetch(0.0)


def test_new_streams_go_to_the_one_with_fewer() -> None:
    made = pool(HOUR, HOUR)
    assert [made.choose(0.0) for _ in range(4)] == [1, 2, 1, 2]
    made.measured(1, 10, 0.0)
    made.measured(2, 2, 0.0)
    assert [made.choose(0.0) for _ in range(3)] == [2, 2, 2]


def test_a_faster_relay_gets_more_but_not_all() -> None:
    made = pool(HOUR, HOUR)
    made.measured(1, 0, 30e6)
    made.measured(2, 0, 10e6)
    chosen = [made.choose(0.0) for _ in range(100)]
    assert 70 <= chosen.count(1) <= 80
    made.measured(1, 0, 1e9)
    made.measured(2, 0, 0.0)
    chosen = [made.choose(0.0) for _ in range(100)]
    assert 5 <= chosen.count(2) <= 20


def test_what_is_not_measured_weighs_the_mean_less_its_load() -> None:
    made = Pool(CONFIG)
    join(made, 1, load=1.0)
    join(made, 2, load=0.0)
    chosen = [made.choose(0.0) for _ in range(90)]
    assert chosen.count(2) == 60


def test_leaving_relays_get_nothing_and_quiet_ones_only_where_nobody_else_is() -> None:
    made = pool(HOUR, HOUR)
    made.step(1, Step.SILENT)
    assert {made.choose(0.0) for _ in range(5)} == {2}
    made.step(2, Step.GOAWAY)
    assert made.choose(0.0) == 1
    made.step(1, Step.HEARD)
    assert not made.quiet(1)
    made.step(1, Step.GOAWAY)
    assert made.choose(0.0) is None


def test_those_tried_already_are_left_out() -> None:
    made = pool(HOUR, HOUR)
    assert made.choose(0.0, {1}) == 2
    assert made.choose(0.0, {1, 2}) is None


def test_a_relay_about_to_reach_its_end_gets_no_new_streams_while_there_is_another() -> None:
    made = pool(HOUR, 10 * HOUR)
    late = HOUR - 1
    assert {made.choose(late) for _ in range(5)} == {2}
    assert made.choose(late, {2}) == 1


def test_steps_of_relays_that_are_gone_mean_nothing() -> None:
    made = pool(HOUR)
    made.gone(1, 0.0, failed=False)
    made.gone(1, 0.0, failed=True)
    made.step(1, Step.SILENT)
    made.measured(1, 3, 1e6)
    assert made.empty
    assert not made.quiet(1)
    assert made.excluded(0.0) == ()


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["fetch", "matched", "fetched", "failed", "step", "gone", "choose", "nobody"]),
        st.integers(0, 5),
    ),
    min_size=40,
    max_size=80,
)


@given(ACTS, st.integers(1, 3))
def test_whatever_happens_the_numbers_stay_within_bounds(acts: list[tuple[str, int]], wanted: int) -> None:
    config = replace(CONFIG, relays=wanted)
    made, now, count = Pool(config), 0.0, 0
    asking, matched = False, list[str]()
    for act, detail in acts:
        now += detail
        if act == "fetch":
            began = made.fetch(now)
            assert not (began and asking)
            asking = asking or began
        elif act == "matched" and asking:
            count, asking = count + 1, False
            matched.append(f"posting {count}")
            made.matched(matched[-1])
        elif act == "fetched" and matched:
            made.fetched(count + 1000 * len(made.members), matched.pop(), 0.0, float(detail), now)
        elif act == "failed" and (matched or asking):
            made.failed(matched.pop() if matched else None, 0.5, now)
            asking = asking and bool(matched)
        elif act == "step" and made.members:
            made.step(next(iter(made.members)), list(Step)[detail % 3])
        elif act == "gone" and made.members:
            made.gone(next(iter(made.members)), now, failed=bool(detail % 2))
        elif act == "choose":
            chosen = made.choose(now)
            assert chosen is None or made.members[chosen].state is not State.LEAVING
        elif act == "nobody":
            made.nobody()
        assert len(made.members) + len(matched) <= 2 * wanted
        due = made.next_timeout(now)
        assert due is None or due > now  # a driver that waits for it is never busy


def test_a_relay_is_alone_without_another_that_is_open() -> None:
    made = pool(HOUR, HOUR)
    assert not made.alone(1)
    made.step(2, Step.SILENT)
    assert made.alone(1)
    assert not made.alone(2)
    made.gone(2, 0.0, failed=True)
    assert made.alone(1)
