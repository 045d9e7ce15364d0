"""What the relay's tests share: a resolver that answers from a script, policies in one line, a guard around both."""

from __future__ import annotations

from ipaddress import ip_address

from mayfly.errors import Reply, UpstreamError
from mayfly_relay.addresses import Address
from mayfly_relay.guard import Guard
from mayfly_relay.interfaces import OwnNetworks
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.rules import Rule, parse_rule


class ScriptedResolver:
    """Gives each name its scripted answers, one a call; the last one is repeated. Counts the calls."""

    def __init__(self) -> None:
        self.forward: dict[str, list[list[str]]] = {}
        self.reverse: dict[str, str] = {}
        self.calls: list[str] = []

    async def addresses(self, name: str) -> list[Address]:
        self.calls.append(name)
        answers = self.forward.get(name)
        if not answers:
            raise UpstreamError(Reply.HOST_UNREACHABLE, "the lookup failed")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(text) for text in answer]

    async def name(self, address: Address) -> str:
        self.calls.append(str(address))
        if str(address) not in self.reverse:
            raise UpstreamError(Reply.HOST_UNREACHABLE, "the address has no name")
        return self.reverse[str(address)]


def policy_of(*rules: str) -> ExitPolicy:
    """Rules written `allow 127.0.0.1:*` or `deny *:80`."""
    parsed: list[Rule] = []
    for rule in rules:
        verb, _, text = rule.partition(" ")
        assert verb in {"allow", "deny"}
        parsed.append(parse_rule(text, verb == "allow"))
    return ExitPolicy(tuple(parsed))


def guard_of(resolver: ScriptedResolver, *rules: str) -> Guard:
    """A guard with the given rules, on a machine without networks of its own."""
    return Guard(policy_of(*rules), resolver, OwnNetworks(frozenset))
