"""Resolve, check everything, hand out only what passed."""

from __future__ import annotations

from collections.abc import Awaitable
from ipaddress import ip_address, ip_network

import pytest

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.guard import Guard
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.policy import ExitPolicy
from unit.relay.scripted import ScriptedResolver, guard_of, policy_of

REFUSED = [
    "127.0.0.1", "::1", "10.1.1.1", "172.16.1.1", "192.168.1.1", "169.254.1.1", "100.64.1.1", "fc00::1", "fd00::1",
    "::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.169.254",
]  # fmt: skip


def destination(host: str, port: int = 443) -> Destination:
    return Destination.parse_host(host, port)


async def refused(lookup: Awaitable[object]) -> None:
    with pytest.raises(UpstreamError) as caught:
        await lookup
    assert caught.value.reply is Reply.NOT_ALLOWED


@pytest.mark.parametrize("text", REFUSED)
async def test_an_address_that_is_not_public_is_refused(resolver: ScriptedResolver, text: str) -> None:
    guard = guard_of(resolver)
    await refused(guard.admit(destination(text)))
    await refused(guard.look_up(destination(text, 0)))
    assert guard.check(ip_address(text), 443) is None


@pytest.mark.parametrize("text", REFUSED)
async def test_a_public_name_that_resolves_to_one_is_refused(resolver: ScriptedResolver, text: str) -> None:
    resolver.forward["public.example"] = [[text]]
    guard = guard_of(resolver, "allow public.example:*")
    await refused(guard.admit(destination("public.example")))
    await refused(guard.look_up(destination("public.example", 0)))


@pytest.mark.parametrize("port", [25, 465, 587, 2525])
async def test_mail_is_refused(resolver: ScriptedResolver, port: int) -> None:
    await refused(guard_of(resolver).admit(destination("8.8.8.8", port)))


async def test_a_decision_is_remembered_no_longer_than_the_relays_networks_are_the_same(
    resolver: ScriptedResolver,
) -> None:
    own = OwnNetworks(frozenset)
    guard = Guard(ExitPolicy(), resolver, own)
    for _ in range(2):
        assert guard.check(ip_address("8.8.8.8"), 443) is not None
    own.add([ip_address("8.8.8.8")])
    for _ in range(2):
        assert guard.check(ip_address("8.8.8.8"), 443) is None


async def test_the_refused_ones_among_many_are_dropped(resolver: ScriptedResolver) -> None:
    resolver.forward["mixed.example"] = [["10.0.0.1", "2606::1", "::1", "::ffff:8.8.8.8", "8.8.8.8"]]
    guard = guard_of(resolver)
    assert await guard.admit(destination("mixed.example")) == [ip_address("2606::1"), ip_address("8.8.8.8")]
    assert await guard.look_up(destination("mixed.example", 0)) == destination("2606::1", 0)


async def test_lookups_of_addresses(resolver: ScriptedResolver) -> None:
    resolver.reverse["8.8.8.8"] = "dns.example"
    guard = guard_of(resolver)
    assert await guard.look_up(destination("8.8.8.8", 0)) == destination("dns.example", 0)
    assert await guard.look_up(destination("::ffff:8.8.8.8", 0)) == destination("dns.example", 0)
    with pytest.raises(UpstreamError) as caught:
        await guard.look_up(destination("9.9.9.9", 0))
    assert caught.value.reply is Reply.HOST_UNREACHABLE


async def test_a_refused_address_is_not_even_asked_for(resolver: ScriptedResolver) -> None:
    resolver.reverse["192.168.1.1"] = "router.lan"
    await refused(guard_of(resolver).look_up(destination("192.168.1.1", 0)))
    assert not resolver.calls


@pytest.mark.parametrize(
    "name", ["nas", "nas.lan", "printer.local", "localhost", "fritz.home.arpa", "127.1", "0x7f000001"]
)
async def test_names_of_the_own_network_are_not_even_asked_for(resolver: ScriptedResolver, name: str) -> None:
    """Otherwise "refused" and "unknown" would tell which of them there are."""
    resolver.forward[name] = [["192.168.1.2"]]
    for rule in (
        "allow *:*",
        f"allow {name}:*" if name[0].isalpha() else "deny *:25",
        "allow 8.8.8.0/24:*",
        "deny 10.0.0.0/8:*",
    ):
        await refused(guard_of(resolver, rule).admit(destination(name)))
        await refused(guard_of(resolver, rule).look_up(destination(name, 0)))
    assert not resolver.calls
    opened = guard_of(resolver, "allow 192.168.1.0/24:443")
    assert await opened.admit(destination(name)) == [ip_address("192.168.1.2")]


async def test_a_rule_for_an_own_public_network_opens_its_names(resolver: ScriptedResolver) -> None:
    resolver.forward["nas.lan"] = [["2a01:4f8:1:2::5", "2a01:4f8:1:2::6"]]
    policy = policy_of("allow [2a01:4f8:1:2::5]:443")
    at_home = Guard(policy, resolver, OwnNetworks(lambda: frozenset({ip_network("2a01:4f8:1::/56")})))
    assert await at_home.admit(destination("nas.lan")) == [ip_address("2a01:4f8:1:2::5")]
    assert await at_home.look_up(destination("nas.lan", 0)) == destination("2a01:4f8:1:2::5", 0)
    await refused(at_home.admit(destination("nas.lan", 80)))
    resolver.calls.clear()
    elsewhere = Guard(policy, resolver, OwnNetworks(frozenset))
    await refused(elsewhere.admit(destination("nas.lan")))
    await refused(elsewhere.look_up(destination("nas.lan", 0)))
    assert not resolver.calls


async def test_rules_that_open(resolver: ScriptedResolver) -> None:
    resolver.forward["localhost"] = [["::1", "127.0.0.1"]]
    guard = guard_of(resolver, "allow 127.0.0.1:8080")
    assert await guard.admit(destination("localhost", 8080)) == [ip_address("127.0.0.1")]
    await refused(guard.admit(destination("localhost", 8081)))
    assert await guard.look_up(destination("localhost", 0)) == destination("127.0.0.1", 0)


async def test_a_zone_smuggled_in_as_a_name_is_refused(resolver: ScriptedResolver) -> None:
    data = b"\x03\x09fe80::1%1\x01\xbb"
    decoded = Destination.decode(data)
    assert decoded is not None
    await refused(guard_of(resolver, "allow [fe80::]/10:*").admit(decoded[0]))


async def test_own_addresses_are_refused(resolver: ScriptedResolver) -> None:
    own = OwnNetworks(lambda: frozenset({ip_network("2606::/64")}))
    own.add([ip_address("8.8.8.8")])
    resolver.forward["self.example"] = [["8.8.8.8", "2606::2"]]
    guard = Guard(ExitPolicy(), resolver, own)
    await refused(guard.admit(destination("self.example")))
    await refused(guard.look_up(destination("self.example", 0)))


async def test_the_resolver_s_error_comes_through(resolver: ScriptedResolver) -> None:
    with pytest.raises(UpstreamError) as caught:
        await guard_of(resolver).admit(destination("nowhere.example"))
    assert caught.value.reply is Reply.HOST_UNREACHABLE
