from __future__ import annotations

import pytest

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.rules import parse_rule
from mayfly_relay.unresolved import UnresolvedGuard

NOWHERE = OwnNetworks(frozenset)


def guard(*rules: str, onion: bool = False) -> UnresolvedGuard:
    """`+host:port` allows, `-host:port` denies."""
    return UnresolvedGuard(
        ExitPolicy(tuple(parse_rule(rule[1:], rule[0] == "+") for rule in rules)), NOWHERE, onion=onion
    )


def place(host: str, port: int = 443) -> Destination:
    return Destination.parse_host(host, port)


def refusal(door: UnresolvedGuard, host: str, port: int = 443) -> Reply:
    with pytest.raises(UpstreamError) as caught:
        door.admit(place(host, port))
    return caught.value.reply


async def test_names_pass_as_they_are() -> None:
    assert guard().admit(place("example.com")) == Destination("example.com", 443)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("example.com", 25),
        ("localhost", 80),
        ("printer.local", 80),
        ("nas", 80),
        ("127.0.0.1", 80),
        ("::ffff:10.0.0.1", 80),
        ("169.254.169.254", 80),
        ("8.8.8.8", 25),
    ],
)
async def test_what_the_defaults_refuse(host: str, port: int) -> None:
    assert refusal(guard(), host, port) is Reply.NOT_ALLOWED
    assert refusal(guard("+*:443"), host, port) is Reply.NOT_ALLOWED


async def test_rules_by_name_and_port() -> None:
    door = guard("-evil.example:*", "+example.com:443", "-*:*")
    assert refusal(door, "www.evil.example") is Reply.NOT_ALLOWED
    assert refusal(door, "example.com", 80) is Reply.NOT_ALLOWED
    assert door.admit(place("www.example.com")) == place("www.example.com")


async def test_rules_by_address_hold_for_addresses_and_say_nothing_of_names() -> None:
    door = guard("-93.184.0.0/16:*", "+10.0.0.7:80")
    assert refusal(door, "93.184.1.1") is Reply.NOT_ALLOWED
    assert door.admit(place("10.0.0.7", 80)) == place("10.0.0.7", 80)
    assert door.admit(place("example.com")) == place("example.com")


async def test_a_name_of_the_own_network_takes_a_rule_that_names_it() -> None:
    assert refusal(guard("+*:*"), "printer.local") is Reply.NOT_ALLOWED
    assert refusal(guard("+local:*"), "printer.local") is Reply.NOT_ALLOWED
    assert guard("+printer.local:443").admit(place("printer.local")) == place("printer.local")


async def test_onion_names_are_for_tor_alone() -> None:
    assert refusal(guard(), "abc.onion") is Reply.HOST_UNREACHABLE
    assert guard(onion=True).admit(place("abc.onion")) == place("abc.onion")


async def test_lookups() -> None:
    door = guard("-secret.example:*", onion=True)
    assert door.admit_lookup(place("example.com", 0)) == place("example.com", 0)
    assert door.admit_lookup(place("8.8.8.8", 0)) == place("8.8.8.8", 0)
    for host in ("secret.example", "nas", "10.0.0.1", "abc.onion"):
        with pytest.raises(UpstreamError):
            door.admit_lookup(place(host, 0))
    assert door.admits_answer("example.com", place("8.8.8.8", 0))
    assert not door.admits_answer("example.com", place("10.0.0.1", 0))
    assert not door.admits_answer("example.com", place("other.example", 0))
