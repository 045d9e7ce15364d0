from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import cast

import pytest

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.bridge import BridgeUpstream, bridge_policy
from mayfly_relay.direct import DirectUpstream

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
