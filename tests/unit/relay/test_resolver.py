"""Lookups off the loop: bounded in time and number."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from mayfly.errors import Reply, UpstreamError
from mayfly_relay.resolver import MAX_ADDRESSES, SystemResolver


def infos(*addresses: str) -> list[tuple[object, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]


async def test_localhost_of_this_machine() -> None:
    found = await SystemResolver().addresses("localhost")
    assert found
    assert all(address.is_loopback for address in found)


async def test_addresses_of_both_families_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = infos("1.2.3.4", "2606::1", "1.2.3.4", "fe80::1%eth0")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answers)
    expected = [ip_address(text) for text in ("1.2.3.4", "2606::1", "fe80::1%eth0")]
    assert await SystemResolver().addresses("a.example") == expected


async def test_nothing_is_remembered_that_could_tell_of_another_s_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def find(name: object, *_args: object, **_kwargs: object) -> list[tuple[object, ...]]:
        asked.append(name)
        return infos(f"1.2.3.{len(asked)}")

    monkeypatch.setattr(socket, "getaddrinfo", find)
    resolver = SystemResolver()
    assert [await resolver.addresses("a.example") for _ in range(2)] == [
        [ip_address("1.2.3.1")],
        [ip_address("1.2.3.2")],
    ]


async def test_a_name_with_very_many_addresses_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = infos(*(f"1.2.3.{number}" for number in range(256)))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: answers)
    assert len(await SystemResolver().addresses("a.example")) == MAX_ADDRESSES


@pytest.mark.parametrize("error", [socket.gaierror(-2, "x"), OSError(), UnicodeError("label too long")])
async def test_failures_are_host_unreachable(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(socket, "getnameinfo", fail)
    resolver = SystemResolver()
    for lookup in (resolver.addresses("a.example"), resolver.name(ip_address("1.2.3.4"))):
        with pytest.raises(UpstreamError) as caught:
            await lookup
        assert caught.value.reply is Reply.HOST_UNREACHABLE


async def test_no_address_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: [])
    with pytest.raises(UpstreamError, match="no address"):
        await SystemResolver().addresses("a.example")


async def test_onion_names_never_reach_the_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_kwargs: asked.append(args))
    for name in ("abc.onion", "abc.onion."):
        with pytest.raises(UpstreamError):
            await SystemResolver().addresses(name)
    assert not asked


@pytest.mark.parametrize(("found", "good"), [("host.example", True), ("a b\x1b[2J", False), ("1.2.3.4", False)])
async def test_reverse_names_are_valid_names(monkeypatch: pytest.MonkeyPatch, found: str, good: bool) -> None:
    monkeypatch.setattr(socket, "getnameinfo", lambda *_args: (found, "0"))
    if good:
        assert await SystemResolver().name(ip_address("2606::1")) == found
        return
    with pytest.raises(UpstreamError) as caught:
        await SystemResolver().name(ip_address("1.2.3.4"))
    assert caught.value.reply is Reply.HOST_UNREACHABLE


class Blocked:
    """A name server that says nothing until released."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.running = 0
        self.most = 0
        self._lock = threading.Lock()

    def getaddrinfo(self, *_args: object, **_kwargs: object) -> list[tuple[object, ...]]:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.go.wait(30)
        with self._lock:
            self.running -= 1
        return infos("1.2.3.4")


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Blocked]:
    server = Blocked()
    monkeypatch.setattr(socket, "getaddrinfo", server.getaddrinfo)
    yield server
    server.go.set()


async def test_a_silent_name_server_is_ttl_expired_and_keeps_its_slot(blocked: Blocked) -> None:
    resolver = SystemResolver(timeout=0.05, concurrency=2)
    results = await asyncio.gather(*(resolver.addresses("a.example") for _ in range(6)), return_exceptions=True)
    assert [getattr(result, "reply", None) for result in results] == [Reply.TTL_EXPIRED] * 6
    assert blocked.most == 2, "those that timed out still run, so no others were started"
    blocked.go.set()
    patient = SystemResolver(timeout=20, concurrency=2)
    assert await patient.addresses("a.example") == [ip_address("1.2.3.4")]


async def test_slots_come_back(blocked: Blocked) -> None:
    blocked.go.set()
    resolver = SystemResolver(timeout=20, concurrency=2)
    found = await asyncio.gather(*(resolver.addresses("a.example") for _ in range(20)))
    assert len(found) == 20
    assert blocked.most <= 2


async def test_too_many_waiting_are_refused(blocked: Blocked) -> None:
    resolver = SystemResolver(timeout=0.05, concurrency=1, max_waiting=3)
    results = await asyncio.gather(*(resolver.addresses("a.example") for _ in range(5)), return_exceptions=True)
    replies = [getattr(result, "reply", None) for result in results]
    assert replies.count(Reply.GENERAL_FAILURE) == 2


async def test_an_unexpected_error_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(KeyError):
        await SystemResolver().addresses("a.example")


async def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    resolver = SystemResolver(concurrency=1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(UpstreamError):
            await resolver.addresses("localhost")
    assert await resolver.addresses("localhost"), "the slot was given back"


def test_a_lookup_that_outlives_its_loop_does_no_harm(blocked: Blocked) -> None:
    async def give_up() -> None:
        with pytest.raises(UpstreamError):
            await SystemResolver(timeout=0.01).addresses("a.example")

    asyncio.run(give_up())
    blocked.go.set()
    for thread in threading.enumerate():
        if thread.name == "mayfly-lookup":
            thread.join(5)
