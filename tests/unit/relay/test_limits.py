"""The counters that hold clients to what is lent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import Reply, UpstreamError
from mayfly_relay.limits import ByteQuota, ConnectRate, RelayLimits, UdpLimits


def test_a_burst_goes_at_once_and_the_rest_waits_its_turn() -> None:
    rate = ConnectRate(rate=10, burst=3, max_delay=0.25)
    delays = [rate.reserve(0.0) for _ in range(7)]
    assert delays[:3] == [0, 0, 0]
    assert delays[3:5] == [pytest.approx(0.1), pytest.approx(0.2)]
    assert delays[5:] == [None, None], "a turn too far off is refused, and takes no place in the queue"
    assert rate.reserve(0.1) == pytest.approx(0.2)


def test_a_pause_fills_up_to_the_burst() -> None:
    rate = ConnectRate(rate=10, burst=2, max_delay=0)
    assert [rate.reserve(0.0) for _ in range(3)] == [0, 0, None]
    assert [rate.reserve(1000.0) for _ in range(3)] == [0, 0, None]


@given(st.lists(st.floats(0, 1), max_size=200))
def test_admissions_never_pass_the_rate(pauses: list[float]) -> None:
    rate = ConnectRate(rate=5, burst=4, max_delay=2)
    now = 0.0
    turns: list[float] = []
    for pause in pauses:
        now += pause
        delay = rate.reserve(now)
        if delay is not None:
            assert 0 <= delay <= 2
            turns.append(now + delay)
    for index, turn in enumerate(turns):
        assert index + 1 <= 4 + 5 * turn + 1e-6
    assert turns == sorted(turns)


async def test_admit_waits_and_refuses() -> None:
    rate = ConnectRate(rate=200, burst=1, max_delay=0.012)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await rate.admit()
    await rate.admit()
    assert loop.time() - begin >= 0.004
    rate.reserve(loop.time())
    rate.reserve(loop.time())
    rate.reserve(loop.time())
    with pytest.raises(UpstreamError) as caught:
        await rate.admit()
    assert caught.value.reply is Reply.NOT_ALLOWED


def test_the_quota_counts_down() -> None:
    quota = ByteQuota(100)
    seen: list[bool] = []
    for _ in range(3):
        quota.spend(49)
        seen.append(quota.exhausted)
    assert seen == [False, False, True]
    assert quota.spent == 147


def test_no_quota_is_never_exhausted() -> None:
    quota = ByteQuota(None)
    quota.spend(10**15)
    assert not quota.exhausted


@pytest.mark.parametrize(
    "bad",
    [
        {"max_clients": 0},
        {"max_streams": 0},
        {"connect_burst": 0},
        {"connect_rate": 0.0},
        {"idle_timeout": 0.0},
        {"connect_timeout": -1.0},
        {"max_rate": 0.0},
        {"max_bytes": 0},
    ],
)
def test_limits_that_would_lend_nothing_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        RelayLimits(**bad)


def test_the_defaults_stand_and_none_is_no_limit() -> None:
    limits = RelayLimits(max_rate=None, max_bytes=None)
    assert (limits.max_clients, limits.max_streams, limits.idle_timeout) == (4, 1024, 1800.0)
    assert UdpLimits().worst_case_memory < 32 * 1024 * 1024
