"""How clients come to a relay."""

from __future__ import annotations

import pytest

from mayfly.rendezvous.messages import PoolPosting
from mayfly.runtime.events import CodeReady, Connected, Draining, Posted
from mayfly_relay.door import _upstream
from mayfly_relay.options import RelayOptions
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.rules import parse_rule
from mayfly_relay.upstream_urls import parse_upstreams
from support.fake_broker import FakeBroker, broker_options
from support.meeting_place import patch
from support.programs_in_memory import Stage, client_options, relay_options


async def test_a_public_relay_says_what_it_offers_and_leaves_the_pool_when_it_drains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = FakeBroker()
    async with Stage(monkeypatch) as stage:
        patch(monkeypatch, broker)
        policy = ExitPolicy((parse_rule("*:6667", allow=False),))
        relay = stage.relay(relay_options(broker=broker_options(), public=True, policy=policy, lifetime=600.0))
        await relay.script.event(Posted)
        (standing,) = broker.postings.values()
        posting = standing.posting
        assert isinstance(posting, PoolPosting)
        assert posting.capacity == RelayOptions().limits.max_clients
        about = posting.about
        assert (about.upstream, about.load, about.nat) == ("direct", 0.0, "unknown")
        assert "web" in about.serves and "chat" not in about.serves
        assert 590 < about.remaining <= 600
        client = stage.client(client_options(broker=broker_options()))
        await client.script.event(Connected)
        relay.shutdown.request_drain()
        await relay.script.event(Draining)
        assert not broker.postings
        client.shutdown.request_drain()
        await client.task
        await relay.task


async def test_one_friend_after_the_other_while_there_are_seats(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = FakeBroker()
    async with Stage(monkeypatch) as stage:
        patch(monkeypatch, broker)
        relay = stage.relay(relay_options(broker=broker_options()))
        for count in (1, 2):
            code = (await relay.script.event(CodeReady, count)).code
            friend = stage.client(client_options(broker=broker_options(), code=code))
            await friend.script.event(Connected)
        await relay.script.event(Connected, 2)
        await relay.script.event(CodeReady, 3)


async def test_a_relay_whose_time_is_up_before_anybody_came_leaves_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = FakeBroker()
    async with Stage(monkeypatch) as stage:
        patch(monkeypatch, broker)
        relay = stage.relay(relay_options(broker=broker_options(), lifetime=0.05))
        await relay.task
        assert not broker.postings


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ([], "direct"),
        (["direct"], "direct"),
        (["socks5://192.0.2.1:1080"], "socks"),
        (["socks4://192.0.2.1:1080", "http://192.0.2.2:3128"], "socks"),
        (["http://192.0.2.1:3128", "socks5://192.0.2.2:1080"], "http"),
        (["tor"], "tor"),
        (["bridge://192.0.2.1:443"], "bridge"),
    ],
)
def test_a_broker_is_told_who_is_next_on_the_way(typed: list[str], told: str) -> None:
    assert _upstream(parse_upstreams(typed)) == told
