"""How people write a rule, and what they are told when it is wrong."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import UsageError
from mayfly_relay.addresses import Special
from mayfly_relay.rules import Anything, Rule, parse_rule


@pytest.mark.parametrize(
    ("text", "host", "first", "last"),
    [
        ("127.0.0.1:*", ip_network("127.0.0.1/32"), 0, 65535),
        ("10.0.0.0/8:80", ip_network("10.0.0.0/8"), 80, 80),
        ("0.0.0.0/0:443", ip_network("0.0.0.0/0"), 443, 443),
        ("[::1]:22", ip_network("::1/128"), 22, 22),
        ("[2001:db8::]/32:443", ip_network("2001:db8::/32"), 443, 443),
        ("*:25", Anything.ANYTHING, 25, 25),
        ("*:*", Anything.ANYTHING, 0, 65535),
        ("example.com:80-443", "example.com", 80, 443),
        ("Example.COM.:1-65535", "example.com", 1, 65535),
        ("*.example.com:*", ".example.com", 0, 65535),
        ("localhost:8080", "localhost", 8080, 8080),
        ("  *:25 ", Anything.ANYTHING, 25, 25),
    ],
)
def test_good_rules(text: str, host: object, first: int, last: int) -> None:
    for allow in (True, False):
        rule = parse_rule(text, allow)
        assert (rule.allow, rule.host, rule.first_port, rule.last_port) == (allow, host, first, last)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no port"),
        ("example.com", "no port"),
        (":80", "no port"),
        ("[::1]", "no port"),
        ("example.com:", "a port, a range"),
        ("example.com:http", "a port, a range"),
        ("example.com:80,443", "a port, a range"),
        ("example.com:-80", "a port, a range"),
        ("example.com:0", "1 to 65535"),
        ("example.com:65536", "1 to 65535"),
        ("example.com:443-80", "backwards"),
        ("2001:db8::1:443", "needs brackets"),
        ("[example.com]:443", "brackets hold an IPv6"),
        ("[127.0.0.1]:443", "brackets hold an IPv6"),
        ("[2001:db8::/32]:443", "stands behind them"),
        ("[2001:db8::1]/200:443", "not valid"),
        ("[fe80::1%eth0]:443", "zone"),
        ("10.1.2.3/8:80", "the network is 10.0.0.0/8"),
        ("256.0.0.1:80", "not valid"),
        ("127.1:80", "not valid"),
        ("0x7f.0x1:80", "looks like an address"),
        ("host.1:80", "looks like an address"),
        ("example.com/24:80", "not valid"),
        ("exa mple.com:80", "neither an address nor a valid name"),
        ("*example.com:80", "neither an address nor a valid name"),
        ("*.*.com:80", "neither an address nor a valid name"),
    ],
)
def test_bad_rules_say_why(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        parse_rule(text, True)
    assert caught.value.hint


@pytest.mark.parametrize("host", ["[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00::]/24", "[::10.0.0.1]"])
def test_an_allow_names_the_inner_address(host: str) -> None:
    with pytest.raises(UsageError, match="allow that IPv4 address itself"):
        parse_rule(f"{host}:*", True)
    assert parse_rule(f"{host}:*", False).host == ip_network(host.replace("[", "").replace("]", ""))


def test_the_message_escapes_and_shortens_what_was_typed() -> None:
    with pytest.raises(UsageError) as caught:
        parse_rule("\x1b[31m" + "x" * 500, True)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("rule", "name", "matches"),
    [
        ("example.com:*", "example.com", True),
        ("example.com:*", "EXAMPLE.com.", True),
        ("example.com:*", "www.example.com", True),
        ("example.com:*", "notexample.com", False),
        ("example.com:*", "example.com.evil.org", False),
        ("*.example.com:*", "example.com", False),
        ("*.example.com:*", "a.b.example.com", True),
        ("*.example.com:*", "notexample.com", False),
        ("*:*", "example.com", False),
        ("10.0.0.0/8:*", "example.com", False),
    ],
)
def test_names(rule: str, name: str, matches: bool) -> None:
    assert parse_rule(rule, True).matches_name(name) is matches


@pytest.mark.parametrize(
    ("rule", "special", "admits"),
    [
        ("*:*", None, True),
        ("*:*", Special.LOOPBACK, False),
        ("example.com:*", Special.PRIVATE, False),
        ("0.0.0.0/0:*", Special.PRIVATE, False),
        ("[::]/0:*", Special.PRIVATE, False),
        ("10.0.0.0/8:*", Special.PRIVATE, True),
        ("[fc00::]/7:*", Special.PRIVATE, True),
        ("127.0.0.1:*", Special.LOOPBACK, True),
        ("169.254.0.0/16:*", Special.LINK_LOCAL, True),
        ("169.254.0.0/16:*", Special.METADATA, False),
        ("169.254.169.254:80", Special.METADATA, True),
        ("[fe80::]/10:*", Special.ZONE, False),
    ],
)
def test_what_an_allow_admits(rule: str, special: Special | None, admits: bool) -> None:
    assert parse_rule(rule, True).admits(special) is admits


nets = st.sampled_from(["*", "10.0.0.0/8", "192.0.2.1", "[::1]", "[fd00::]/8", "a.example", "*.example", "10.0.0.0/33"])
ports = (
    st.integers(0, 70_000).map(str) | st.builds("{}-{}".format, st.integers(0, 90), st.integers(0, 90)) | st.just("*")
)


@given(
    st.text(max_size=60)
    | st.builds("{}:{}".format, nets, ports)
    | st.from_regex(r"\[?[0-9a-f:.*/]{0,20}\]?(/[0-9]{1,3})?:[0-9*-]{1,9}", fullmatch=True)
)
def test_any_text_is_a_rule_or_a_usage_error(text: str) -> None:
    try:
        rule = parse_rule(text, True)
    except UsageError:
        return
    assert isinstance(rule, Rule)
    assert 0 <= rule.first_port <= rule.last_port <= 65535


@pytest.mark.parametrize(
    ("text", "allow", "opens"),
    [
        ("192.168.1.0/24:*", True, True),
        ("127.0.0.1:80", True, True),
        ("[fd00::1]:443", True, True),
        ("192.168.1.0/24:*", False, False),
        ("8.8.8.0/24:*", True, False),
        ("0.0.0.0/0:*", True, False),
        ("169.254.0.0/16:*", True, True),
        ("nas.lan:*", True, False),
        ("*:*", True, False),
    ],
)
def test_which_rules_open_what_is_not_public(text: str, allow: bool, opens: bool) -> None:
    assert parse_rule(text, allow).opens_special() is opens


@pytest.mark.parametrize(
    ("text", "allow", "opens"),
    [
        ("[2a01:4f8:1:2::5]:443", True, True),
        ("[2a01:4f8:1::]/48:443", True, True),
        ("[2a01:4f8:1:100::5]:443", True, False),
        ("[2a01:4f8:1:2::5]:443", False, False),
        ("[2000::]/3:443", True, False),
        ("9.9.9.9:443", True, True),
        ("9.9.9.8:443", True, False),
        ("0.0.0.0/0:*", True, False),
        ("nas.lan:*", True, False),
        ("*:*", True, False),
    ],
)
def test_which_rules_open_the_relay_s_own_public_networks(text: str, allow: bool, opens: bool) -> None:
    own = [ip_network("2a01:4f8:1::/56"), ip_network("9.9.9.9")]
    assert parse_rule(text, allow).opens_special(own) is opens
