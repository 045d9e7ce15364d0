from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import UsageError
from mayfly.wire.address import Destination
from mayfly.wire.hello import Upstream
from mayfly_relay.upstream_urls import Protocol, ProxyAddress, UpstreamChoice, parse_upstream, parse_upstreams


def proxy(protocol: Protocol, host: str, port: int, user: str = "", password: str = "") -> ProxyAddress:
    return ProxyAddress(protocol, Destination.parse_host(host, port), user, password)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("socks5://127.0.0.1:9050", proxy(Protocol.SOCKS5, "127.0.0.1", 9050)),
        ("socks5h://proxy.example:1080/", proxy(Protocol.SOCKS5, "proxy.example", 1080)),
        ("socks5://anna:s%40c:r%20t@[::1]:1080", proxy(Protocol.SOCKS5, "::1", 1080, "anna", "s@c:r t")),
        ("socks4://anna@10.0.0.1:1080", proxy(Protocol.SOCKS4, "10.0.0.1", 1080, "anna")),
        ("socks4a://10.0.0.1:1080", proxy(Protocol.SOCKS4, "10.0.0.1", 1080)),
        ("HTTP://anna:b@proxy.example:3128", proxy(Protocol.HTTP, "proxy.example", 3128, "anna", "b")),
    ],
)
def test_proxies(text: str, found: ProxyAddress) -> None:
    assert parse_upstream(text) == UpstreamChoice(Upstream.PROXY, (found,))


def test_the_others() -> None:
    assert parse_upstreams([]) == parse_upstreams(["direct"]) == UpstreamChoice(Upstream.DIRECT)
    assert parse_upstream(" tor ") == UpstreamChoice(Upstream.TOR)
    assert parse_upstream("bridge://192.0.2.1:443").bridge == Destination.parse_host("192.0.2.1", 443)


def test_several_proxies_are_a_chain_in_their_order() -> None:
    chain = parse_upstreams(["socks5://a.example:1", "http://b.example:2"])
    assert [hop.place.port for hop in chain.proxies] == [1, 2]
    for alone in ("tor", "direct", "bridge://192.0.2.1:1"):
        with pytest.raises(UsageError, match="stand alone"):
            parse_upstreams(["socks5://a.example:1", alone])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "socks5",
        "socks5://",
        "socks5://a.example",
        "socks5://a.example:0",
        "socks5://a.example:65536",
        "socks5://:1080",
        "socks5://a b:1",
        "socks5://anna@a.example:1",
        "socks5://anna:@a.example:1",
        "socks5://ä:b@a.example:1",
        f"socks5://{'u' * 256}:b@a.example:1",
        "socks4://anna:b@a.example:1",
        "http://an%3Ana:b@a.example:1",
        "bridge://anna@a.example:1",
        "exec:cat",
        "socks5://a.example:1/path",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_upstream(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_never_shown(text: str) -> None:
    try:
        choice = parse_upstream(f"socks5://anna:s3cret{text}@a.example:1")
    except UsageError as error:
        assert "s3cret" not in error.message
    else:
        assert "s3cret" not in repr(choice)
