"""First match wins, the defaults come last, and a name opens no door to the inside."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.wire.hello import MAX_TEXT
from mayfly_relay.addresses import classify
from mayfly_relay.policy import MAIL_PORTS, ExitPolicy, Reason
from mayfly_relay.rules import Rule, parse_rule
from unit.relay.scripted import policy_of

REFUSED = [
    "127.0.0.1", "::1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.0.1", "100.64.0.1", "fc00::1",
    "::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize("name", [None, "public.example"])
def test_the_default_refusals(text: str, name: str | None) -> None:
    verdict = ExitPolicy().decide(name, ip_address(text), 443)
    assert not verdict.allowed
    assert verdict.reason is Reason.SPECIAL
    assert not ExitPolicy().decide_lookup(name, ip_address(text)).allowed


@pytest.mark.parametrize("rule", ["*:*", "[fe80::]/10:*", "[fe80::1]:*", "[2606:4700::]/32:*", "[::]/0:*"])
@pytest.mark.parametrize("text", ["fe80::1%eth0", "2606:4700::1111%1"])
def test_no_rule_admits_an_address_with_a_zone(rule: str, text: str) -> None:
    assert not policy_of(f"allow {rule}").decide(None, ip_address(text), 443).allowed


def test_public_addresses_are_served_but_for_mail() -> None:
    policy = ExitPolicy()
    for text in ("8.8.8.8", "2606:4700::1111"):
        assert policy.decide(None, ip_address(text), 443).reason is Reason.DEFAULT
        near_mail = {mail + near for mail in MAIL_PORTS for near in (-1, 0, 1)}
        probes = near_mail | {1, 80, 443, 65535, *range(20, 65536, 101)}
        refused = {port for port in probes if not policy.decide(None, ip_address(text), port).allowed}
        assert refused == {25, 465, 587, 2525} == set(MAIL_PORTS)
    assert policy.decide(None, ip_address("8.8.8.8"), 25).reason is Reason.MAIL


def test_own_addresses_are_refused() -> None:
    own = {ip_network("8.8.8.0/24")}
    verdict = ExitPolicy().decide(None, ip_address("8.8.8.8"), 443, own)
    assert (verdict.allowed, verdict.reason) == (False, Reason.SPECIAL)
    assert not ExitPolicy().decide_lookup("dns.example", ip_address("8.8.8.8"), own).allowed


def test_the_first_rule_that_matches_decides() -> None:
    policy = policy_of("deny 8.8.8.8:53", "allow 8.8.8.0/24:*", "deny *:*")
    assert not policy.decide(None, ip_address("8.8.8.8"), 53).allowed
    assert policy.decide(None, ip_address("8.8.8.8"), 54).allowed
    assert policy.decide(None, ip_address("8.8.8.8"), 25).allowed, "the defaults come last"
    verdict = policy.decide(None, ip_address("9.9.9.9"), 443)
    assert (verdict.allowed, verdict.reason) == (False, Reason.RULE)


def test_an_allow_by_address_opens_a_special_address() -> None:
    policy = policy_of("allow 127.0.0.1:8080-8081")
    for text in ("127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"):
        assert policy.decide(None, ip_address(text), 8080).allowed
        assert not policy.decide(None, ip_address(text), 8082).allowed
    assert not policy.decide(None, ip_address("127.0.0.2"), 8080).allowed
    assert not policy.decide(None, ip_address("::1"), 8080).allowed


@pytest.mark.parametrize("rule", ["inside.example:*", "*.example:*", "*:*", "0.0.0.0/0:*"])
def test_an_allow_by_name_opens_no_special_address(rule: str) -> None:
    policy = policy_of(f"allow {rule}")
    for text in (*REFUSED, "::ffff:10.0.0.1"):
        assert not policy.decide("inside.example", ip_address(text), 443).allowed
        assert not policy.decide_lookup("inside.example", ip_address(text)).allowed
    assert policy.decide("inside.example", ip_address("8.8.8.8"), 25).allowed, "public addresses it does admit"


def test_a_name_and_an_address_rule_together_open_a_special_address() -> None:
    policy = policy_of("allow inside.example:443", "allow 10.0.0.0/8:443")
    assert policy.decide("inside.example", ip_address("10.1.2.3"), 443).allowed


def test_own_addresses_open_to_an_allow_by_address_only() -> None:
    own = {ip_network("8.8.8.8/32")}
    assert not policy_of("allow dns.example:*").decide("dns.example", ip_address("8.8.8.8"), 53, own).allowed
    assert policy_of("allow 8.8.8.8:53").decide("dns.example", ip_address("8.8.8.8"), 53, own).allowed


def test_a_deny_by_name_is_about_the_requested_name() -> None:
    policy = policy_of("deny example.com:*")
    assert not policy.decide("www.example.com", ip_address("8.8.8.8"), 443).allowed
    assert policy.decide("example.org", ip_address("8.8.8.8"), 443).allowed
    assert policy.decide(None, ip_address("8.8.8.8"), 443).allowed


@pytest.mark.parametrize("text", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"])
def test_a_deny_by_address_holds_in_every_form(text: str) -> None:
    assert not policy_of("deny 8.8.8.8:*").decide(None, ip_address(text), 443).allowed


def test_a_deny_of_a_wrapper_holds() -> None:
    policy = policy_of("deny [2002::]/16:*")
    assert not policy.decide(None, ip_address("2002:808:808::1"), 443).allowed
    assert policy.decide(None, ip_address("8.8.8.8"), 443).allowed


def test_zone_identifiers_are_refused_whatever_the_rules() -> None:
    policy = policy_of("allow [fe80::]/10:*", "allow *:*")
    assert not policy.decide(None, ip_address("fe80::1%1"), 443).allowed
    assert policy.decide(None, ip_address("fe80::1"), 443).allowed


def test_a_lookup_needs_one_open_port() -> None:
    policy = policy_of("allow 10.0.0.1:80", "deny 8.8.8.8:1-100", "deny 9.9.9.9:*", "deny secret.example:*")
    assert policy.decide_lookup("a.example", ip_address("10.0.0.1")).allowed
    assert policy.decide_lookup("a.example", ip_address("8.8.8.8")).allowed
    assert not policy.decide_lookup("a.example", ip_address("9.9.9.9")).allowed
    assert not policy.decide_lookup("secret.example", ip_address("1.1.1.1")).allowed
    assert not policy_of("allow a.example:443", "deny *:*").decide_lookup("b.example", ip_address("1.1.1.1")).allowed


@pytest.mark.parametrize(
    ("rules", "summary"),
    [
        ([], "reject 25,465,587,2525"),
        (["allow *:25"], "reject 465,587,2525"),
        (["allow *:*"], "accept *"),
        (["deny *:*"], "reject *"),
        (["allow *:80", "allow *:443", "deny *:*"], "accept 80,443"),
        (["deny *:1-1023"], "reject 1-1023,2525"),
        (["deny *:20-30", "allow *:25"], "reject 20-30,465,587,2525"),
        (["allow 192.168.1.10:80"], "reject 25,465,587,2525; other rules apply"),
        (["allow printer.lan:80", "deny *:*"], "reject *; other rules apply"),
    ],
)
def test_summaries(rules: list[str], summary: str) -> None:
    assert policy_of(*rules).summary() == summary


@pytest.mark.parametrize(
    ("rules", "name", "port", "allowed", "reason"),
    [
        ([], "example.com", 443, True, Reason.DEFAULT),
        ([], "example.com", 25, False, Reason.MAIL),
        ([], "printer.local", 80, False, Reason.SPECIAL),
        ([], "printer.local", None, False, Reason.SPECIAL),
        (["deny *:*"], "example.com", 443, False, Reason.RULE),
        (["deny *:*"], "printer.local", 443, False, Reason.RULE),
        (["allow *:25"], "example.com", 25, True, Reason.RULE),
        (["allow *:*"], "printer.local", 443, False, Reason.SPECIAL),
        (["deny evil.example:*"], "www.Evil.example", 443, False, Reason.RULE),
        (["deny evil.example:80"], "evil.example", 443, True, Reason.DEFAULT),
        (["allow printer.local:443"], "printer.local.", 443, True, Reason.RULE),
        (["allow printer.local:443"], "other.local", 443, False, Reason.SPECIAL),
        (["allow local:*"], "printer.local", 443, False, Reason.SPECIAL),
        (["deny 8.0.0.0/8:*"], "example.com", 443, True, Reason.DEFAULT),
        (["deny *:80"], "example.com", None, True, Reason.DEFAULT),
        (["deny *:*"], "example.com", None, False, Reason.RULE),
        (["allow a.example:80", "deny *:*"], "a.example", None, True, Reason.RULE),
        (["allow a.example:80", "deny *:*"], "b.example", None, False, Reason.RULE),
    ],
)
def test_names_that_somebody_else_resolves(
    rules: list[str], name: str, port: int | None, allowed: bool, reason: Reason
) -> None:
    verdict = policy_of(*rules).decide_name(name, port)
    assert (verdict.allowed, verdict.reason) == (allowed, reason)


def test_a_long_summary_has_room_for_what_stands_behind_it() -> None:
    summary = policy_of("allow 192.168.1.10:80", *(f"deny *:{port}" for port in range(1000, 1200, 3))).summary()
    assert len(summary.encode()) <= MAX_TEXT
    assert summary.endswith("; other rules apply")


def test_a_long_summary_is_cut_and_promises_nothing_untrue() -> None:
    policy = policy_of(*(f"deny *:{port}" for port in range(1000, 1200, 3)))
    summary = policy.summary()
    assert len(summary.encode()) <= MAX_TEXT
    assert summary.startswith("accept 1-24,26-464")
    for item in summary.removeprefix("accept ").split(","):
        low, _, high = item.partition("-")
        for port in (int(low), int(high or low)):
            assert policy.decide(None, ip_address("8.8.8.8"), port).allowed


ports = st.integers(1, 65535)
general_rules = st.builds(
    lambda allow, a, b: parse_rule(f"*:{min(a, b)}-{max(a, b)}", allow), st.booleans(), ports, ports
)


@given(st.lists(general_rules, max_size=8), st.lists(ports, min_size=1, max_size=20))
def test_the_summary_agrees_with_the_decisions(rules: list[Rule], probes: list[int]) -> None:
    policy = ExitPolicy(tuple(rules))
    verb, _, listed = policy.summary().partition(" ")
    covered = {
        port
        for item in listed.replace("*", "1-65535").split(",")
        for port in range(int(item.partition("-")[0]), int(item.partition("-")[2] or item) + 1)
    }
    for port in probes:
        assert policy.decide(None, IPv4Address("8.8.8.8"), port).allowed is ((port in covered) is (verb == "accept"))


@given(
    st.lists(st.sampled_from(["allow *:*", "allow a.example:*", "deny *:80", "allow 8.8.8.8:*"]), max_size=4),
    st.ip_addresses(),
    ports,
)
def test_rules_about_public_places_never_admit_a_special_one(
    texts: list[str], address: IPv4Address | IPv6Address, port: int
) -> None:
    rules = tuple(parse_rule(text.partition(" ")[2], text.startswith("allow")) for text in texts)
    if classify(address) is not None:
        assert not ExitPolicy(rules).decide("a.example", address, port).allowed
