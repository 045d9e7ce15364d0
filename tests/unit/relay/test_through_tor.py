from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import cast

import pytest

from mayfly.errors import Reply, TorError, UpstreamError
from mayfly.tor.status import Circuit, TorStatus, bootstrapping
from mayfly.wire.address import Destination
from mayfly_relay import through_tor
from mayfly_relay.dialler import ProxyDialler
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.through_tor import Isolation, TorUpstream, describe
from mayfly_relay.unresolved import UnresolvedGuard
from mayfly_relay.upstream_urls import Protocol, ProxyAddress
from support.proxies import made_up

PLACE = Destination("example.com", 443)


class FakeTor:
    """A tor; not ready unless it has a port."""

    def __init__(self, port: int = 0, *circuits: Circuit) -> None:
        self.status: TorStatus = bootstrapping("100", "done") if port else TorStatus()
        self.version = "0.4.9.11"
        self._port = port
        self._circuits = circuits

    @property
    def socks(self) -> tuple[str, int]:
        if not self._port:
            raise TorError("Tor is not ready: starting tor.")
        return "127.0.0.1", self._port

    async def circuits(self) -> tuple[Circuit, ...]:
        if not self._port:
            raise TorError("Tor is not ready: starting tor.")
        return self._circuits


class Dialler:
    def __init__(self) -> None:
        self.asked: list[tuple[ProxyAddress, Destination]] = []

    async def connect(self, proxies: Sequence[ProxyAddress], destination: Destination) -> socket.socket:
        self.asked.append((proxies[0], destination))
        return socket.socket()


def upstream(tor: FakeTor, dialler: Dialler | None = None, isolation: Isolation | None = None) -> TorUpstream:
    kept = isolation or Isolation(run="r")
    guard = UnresolvedGuard(ExitPolicy(), OwnNetworks(frozenset), onion=True)
    dials = cast("ProxyDialler", dialler or Dialler())
    return TorUpstream(tor, lambda: kept.login(7), guard, dials, lookup_timeout=5.0)


def test_clients_have_logins_of_their_own_and_keep_them_until_renewed() -> None:
    isolation = Isolation(run="r")
    assert isolation.login(1) == isolation.login(1) == ("mayfly-r-1", "0")
    assert isolation.login(2) != isolation.login(1)
    isolation.renew()
    assert isolation.login(1) == ("mayfly-r-1", "1")


def test_each_stream_may_have_one_of_its_own_and_runs_share_none() -> None:
    isolation = Isolation(each_stream=True)
    assert isolation.login(1) != isolation.login(1)
    assert Isolation().login(1) != Isolation().login(1)


def test_whose_circuit_it_is() -> None:
    def client(user: str | None) -> int | None:
        return Isolation(run="r").client_of(Circuit("1", "BUILT", "GENERAL", (), user))

    assert client("mayfly-r-12") == 12
    assert client("mayfly-other-12") is client("somebody") is client(None) is None


async def test_streams_go_to_its_socks_port_by_name_and_onion_names_too() -> None:
    dialler = Dialler()
    way = upstream(FakeTor(9050), dialler)
    for place in (PLACE, Destination("abc.onion", 80)):
        (await way.connect(place)).close()
    tor = ProxyAddress(Protocol.SOCKS5, Destination.parse_host("127.0.0.1", 9050), "mayfly-r-7", "0")
    assert dialler.asked == [(tor, PLACE), (tor, Destination("abc.onion", 80))]


async def test_while_tor_is_not_ready_the_network_is_down() -> None:
    way = upstream(FakeTor())
    for work in (way.connect(PLACE), way.resolve(PLACE)):
        with pytest.raises(UpstreamError, match="starting tor") as caught:
            await work
        assert caught.value.reply is Reply.NETWORK_UNREACHABLE


@pytest.mark.parametrize(
    ("host", "answer", "found"),
    [
        ("example.com", b"\x01\x08\x08\x08\x08\0\0", "8.8.8.8"),
        ("example.com", b"\x01\x0a\x00\x00\x01\0\0", Reply.NOT_ALLOWED),
        ("8.8.8.8", b"\x03\x0bexample.com\0\0", "example.com"),
        ("8.8.8.8", b"\x01\x08\x08\x08\x08\0\0", Reply.HOST_UNREACHABLE),
    ],
)
async def test_lookups_and_what_may_be_learnt_from_them(host: str, answer: bytes, found: str | Reply) -> None:
    async with made_up(b"\x05\x02", b"\x01\x00", b"\x05\x00\x00" + answer) as tor:
        work = upstream(FakeTor(tor.port)).resolve(Destination.parse_host(host, 0))
        if isinstance(found, str):
            assert await work == Destination.parse_host(found, 0)
        else:
            with pytest.raises(UpstreamError) as caught:
                await work
            assert caught.value.reply is found


async def test_what_status_shows() -> None:
    circuits = (
        Circuit("3", "BUILT", "GENERAL", ("guard", "exit"), "mayfly-r-1", "0"),
        Circuit("4", "EXTENDED", "HS_VANGUARDS", ()),
    )
    shown = await describe(FakeTor(9050, *circuits), Isolation(run="r"))
    assert (shown["state"], shown["percent"], shown["version"], shown["problem"]) == ("ready", 100, "0.4.9.11", None)
    assert shown["circuits"] == [
        {"id": "3", "state": "built", "purpose": "general", "client": 1, "hops": ["guard", "exit"]},
        {"id": "4", "state": "extended", "purpose": "hs_vanguards", "client": None, "hops": []},
    ]
    assert (await describe(FakeTor(), Isolation()))["circuits"] == []


async def test_a_tor_that_hangs_does_not_hold_up_status(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging(FakeTor):
        async def circuits(self) -> tuple[Circuit, ...]:
            await asyncio.Event().wait()
            return ()

    monkeypatch.setattr(through_tor, "PATIENCE", 0.01)
    assert (await describe(Hanging(9050), Isolation()))["circuits"] == []
