from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import cast

import pytest

from mayfly.errors import Reply, UpstreamError
from mayfly.pt.extended import ExtendedPortError
from mayfly.wire.address import Destination
from mayfly_relay.bridge import BridgeTrouble, BridgeUpstream, WatchedUpstream, bridge_policy
from mayfly_relay.direct import DirectUpstream
from mayfly_relay.upstream import Upstream

BRIDGE = Destination.parse_host("127.0.0.1", 9001)


def test_the_policy_admits_the_bridge_alone() -> None:
    policy = bridge_policy(BRIDGE)
    assert policy.decide(None, ip_address("127.0.0.1"), 9001).allowed
    assert not policy.decide(None, ip_address("127.0.0.1"), 9002).allowed
    assert not policy.decide(None, ip_address("8.8.8.8"), 9001).allowed


def test_a_bridge_by_name_is_public() -> None:
    policy = bridge_policy(Destination("bridge.example", 443))
    assert policy.decide("bridge.example", ip_address("8.8.8.8"), 443).allowed
    assert not policy.decide("bridge.example", ip_address("10.0.0.1"), 443).allowed


async def test_everything_goes_there_and_nothing_is_looked_up() -> None:
    class Direct:
        async def connect(self, destination: Destination) -> socket.socket:
            asked.append(destination)
            return socket.socket()

    asked: list[Destination] = []
    upstream = BridgeUpstream(BRIDGE, cast("DirectUpstream", Direct()))
    (await upstream.connect(Destination("anything.example", 1))).close()
    assert asked == [BRIDGE]
    with pytest.raises(UpstreamError) as caught:
        await upstream.resolve(Destination("anything.example", 0))
    assert caught.value.reply is Reply.COMMAND_NOT_SUPPORTED


async def test_trouble_is_told_once_until_it_is_over() -> None:
    class Scripted:
        async def connect(self, _destination: Destination) -> socket.socket:
            outcome = outcomes.pop(0)
            if outcome is not None:
                raise outcome
            return socket.socket()

    refused = UpstreamError(Reply.CONNECTION_REFUSED, "the destination could not be reached")
    script = (refused, refused, None, ExtendedPortError("the bridge does not accept the cookie"))
    outcomes = [*script]
    told: list[str] = []
    trouble = BridgeTrouble(told.append)
    for outcome in script:
        upstream = WatchedUpstream(cast("Upstream", Scripted()), trouble)
        if outcome is None:
            (await upstream.connect(BRIDGE)).close()
        else:
            with pytest.raises(UpstreamError):
                await upstream.connect(BRIDGE)
    assert told == ["the bridge cannot be reached", "the bridge does not accept the cookie"]
