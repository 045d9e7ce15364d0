from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import cast

import pytest

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.dialler import ProxyDialler, ProxyTroubleError
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.proxied import ProxiedUpstream
from mayfly_relay.unresolved import UnresolvedGuard
from mayfly_relay.upstream_urls import ProxyAddress

PLACE = Destination("example.com", 443)


class Dialler:
    def __init__(self) -> None:
        self.fails: UpstreamError | None = None
        self.asked: list[Destination] = []

    async def connect(self, _proxies: Sequence[ProxyAddress], destination: Destination) -> socket.socket:
        self.asked.append(destination)
        if self.fails is not None:
            raise self.fails
        return socket.socket()


async def test_trouble_is_told_once_until_it_is_over() -> None:
    dialler, told = Dialler(), list[str]()
    guard = UnresolvedGuard(ExitPolicy(), OwnNetworks(frozenset), onion=False)
    upstream = ProxiedUpstream((), guard, cast("ProxyDialler", dialler), told.append)
    for _ in range(2):
        dialler.fails = ProxyTroubleError("it is down")
        for _ in range(2):
            with pytest.raises(UpstreamError):
                await upstream.connect(PLACE)
        dialler.fails = UpstreamError(Reply.CONNECTION_REFUSED, "not its fault")
        with pytest.raises(UpstreamError):
            await upstream.connect(PLACE)
        dialler.fails = None
        (await upstream.connect(PLACE)).close()
    assert told == ["it is down"] * 2


async def test_what_the_policy_refuses_is_asked_of_nobody() -> None:
    dialler = Dialler()
    guard = UnresolvedGuard(ExitPolicy(), OwnNetworks(frozenset), onion=False)
    upstream = ProxiedUpstream((), guard, cast("ProxyDialler", dialler), lambda _: None)
    with pytest.raises(UpstreamError) as caught:
        await upstream.connect(Destination("printer.local", 80))
    assert (caught.value.reply, dialler.asked) == (Reply.NOT_ALLOWED, [])
    with pytest.raises(UpstreamError) as caught:
        await upstream.resolve(PLACE)
    assert caught.value.reply is Reply.COMMAND_NOT_SUPPORTED
