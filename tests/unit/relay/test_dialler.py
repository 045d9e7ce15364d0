"""Proxies of the tests' own. Real ones are in tests/system/test_upstream_proxies.py."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.dialler import ProxyDialler, ProxyTroubleError
from mayfly_relay.upstream_urls import Protocol, ProxyAddress
from support.programs import free_port
from support.proxies import made_up
from unit.relay.scripted import ScriptedResolver

PLACE = Destination("secret.example", 443)
GRANTED5 = b"\x05\x00\x00\x01\0\0\0\0\0\0"
GRANTED4 = b"\x00\x5a\0\0\0\0\0\0"


def at(port: int, protocol: Protocol = Protocol.SOCKS5, host: str = "127.0.0.1", **login: str) -> ProxyAddress:
    return ProxyAddress(protocol, Destination.parse_host(host, port), **login)


async def dial(*proxies: ProxyAddress, to: Destination = PLACE, timeout: float = 5.0) -> socket.socket:
    return await ProxyDialler(ScriptedResolver(), timeout=timeout).connect(proxies, to)


async def failure(*proxies: ProxyAddress, to: Destination = PLACE, timeout: float = 5.0) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await dial(*proxies, to=to, timeout=timeout)
    return caught.value


async def test_names_are_passed_on() -> None:
    async with (
        made_up(b"\x05\x00", GRANTED5) as five,
        made_up(GRANTED4) as four,
        made_up(b"HTTP/1.1 200 OK\r\n\r\n") as http,
    ):
        for proxy in (at(five.port), at(four.port, Protocol.SOCKS4), at(http.port, Protocol.HTTP)):
            (await dial(proxy)).close()
    assert five.heard[1] == b"\x05\x01\x00\x03\x0esecret.example\x01\xbb"
    assert four.heard == [b"\x04\x01\x01\xbb\x00\x00\x00\x01\x00secret.example\x00"]
    assert http.heard[0].startswith(b"CONNECT secret.example:443 HTTP/1.1\r\n")


async def test_only_the_first_proxys_own_name_is_resolved() -> None:
    resolver = ScriptedResolver()
    async with made_up(b"\x05\x00", GRANTED5) as proxy:
        resolver.forward["proxy.example"] = [["127.0.0.1"]]
        (await ProxyDialler(resolver).connect([at(proxy.port, host="proxy.example")], PLACE)).close()
    assert resolver.calls == ["proxy.example"]


@pytest.mark.parametrize("code", range(1, 9))
async def test_every_rep_of_socks5_is_passed_on(code: int) -> None:
    async with made_up(b"\x05\x00", bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0])) as proxy:
        assert (await failure(at(proxy.port))).reply is Reply(code)


@pytest.mark.parametrize(
    ("protocol", "answer", "reply"),
    [
        (Protocol.SOCKS4, b"\x00\x5b\0\0\0\0\0\0", Reply.GENERAL_FAILURE),
        (Protocol.SOCKS4, b"\x00\x5d\0\0\0\0\0\0", Reply.NOT_ALLOWED),
        (Protocol.HTTP, b"HTTP/1.1 403 No\r\n\r\n", Reply.NOT_ALLOWED),
        (Protocol.HTTP, b"HTTP/1.1 502 No\r\n\r\n", Reply.HOST_UNREACHABLE),
        (Protocol.HTTP, b"HTTP/1.1 504 No\r\n\r\n", Reply.TTL_EXPIRED),
        (Protocol.HTTP, b"HTTP/1.1 500 No\r\n\r\n", Reply.GENERAL_FAILURE),
    ],
)
async def test_other_refusals(protocol: Protocol, answer: bytes, reply: Reply) -> None:
    async with made_up(answer) as proxy:
        error = await failure(at(proxy.port, protocol))
    assert error.reply is reply
    assert not isinstance(error, ProxyTroubleError)


@pytest.mark.parametrize(
    ("protocol", "answers"),
    [
        (Protocol.SOCKS5, (b"\x05\xff",)),
        (Protocol.SOCKS5, (b"\x05\x02",)),
        (Protocol.SOCKS5, (b"HTTP/1.1 400 Bad Request\r\n\r\n",)),
        (Protocol.SOCKS5, (b"\x05\x00", b"\x05\x00\x00\x09")),
        (Protocol.SOCKS5, (b"\x05\x00", b"\x05\x00\x00\x03\x02\xff\xff\x00\x00")),
        (Protocol.SOCKS5, (b"\x05\x00", b"\x05\xf0\x00")),
        (Protocol.SOCKS4, (b"\x05\x00\x00\x00\x00\x00\x00\x00",)),
        (Protocol.SOCKS4, (b"",)),
        (Protocol.HTTP, (b"HTTP/1.1 407 Who\r\n\r\n",)),
        (Protocol.HTTP, (b"\x05\x00\r\n\r\n",)),
        (Protocol.HTTP, (b"",)),
    ],
)
async def test_one_that_lies_or_lets_nobody_in(protocol: Protocol, answers: tuple[bytes, ...]) -> None:
    async with made_up(*answers, then="close") as proxy:
        error = await failure(at(proxy.port, protocol))
    assert isinstance(error, ProxyTroubleError)
    assert error.reply is Reply.NETWORK_UNREACHABLE


async def test_a_dead_one_and_one_that_has_no_address() -> None:
    assert isinstance(await failure(at(free_port())), ProxyTroubleError)
    assert isinstance(await failure(at(1, host="gone.example")), ProxyTroubleError)


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_slow_one(protocol: Protocol) -> None:
    async with made_up() as proxy:
        assert (await failure(at(proxy.port, protocol), timeout=0.05)).reply is Reply.TTL_EXPIRED


async def test_in_a_chain_only_the_last_proxy_speaks_of_the_destination() -> None:
    refused = b"\x05\x05\x00\x01\0\0\0\0\0\0"
    async with made_up(b"\x05\x00", refused) as first:
        error = await failure(at(first.port), at(1080, host="second.example"))
        assert isinstance(error, ProxyTroubleError)
        assert first.heard[1].startswith(b"\x05\x01\x00\x03\x0esecond.example")
    async with made_up(b"\x05\x00", GRANTED5, b"\x05\x00", refused) as both:
        error = await failure(at(both.port), at(1080, host="second.example"))
        assert error.reply is Reply.CONNECTION_REFUSED
        assert both.heard[3] == b"\x05\x01\x00\x03\x0esecret.example\x01\xbb"


async def test_a_login_is_offered_and_socks4_knows_no_ipv6() -> None:
    async with made_up(b"\x05\x02", b"\x01\x00", GRANTED5) as proxy:
        (await dial(at(proxy.port, user="anna", password="b"))).close()
    assert proxy.heard[:2] == [b"\x05\x02\x00\x02", b"\x01\x04anna\x01b"]
    six = Destination(ip_address("2606::1"), 443)
    assert (await failure(at(1, Protocol.SOCKS4), to=six)).reply is Reply.ADDRESS_TYPE_NOT_SUPPORTED


async def test_the_last_descriptors_are_not_for_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    async with made_up(b"\x05\x00", GRANTED5) as proxy:
        with monkeypatch.context() as few:
            few.setattr("mayfly.runtime.descriptors.limit", lambda: 4)
            error = await failure(at(proxy.port))
        assert isinstance(error, ProxyTroubleError)
        assert error.message == "too many connections are open"
        (await dial(at(proxy.port))).close()
