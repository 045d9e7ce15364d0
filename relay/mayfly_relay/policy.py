"""The exit policy: which destinations a relay serves.

A policy is a list of rules, of which the first that matches decides: the volunteer's own, in the order given, and then
the defaults. The grammar is in `rules.py` and relay/README.md. Two things are worth knowing:

- A rule with an address is compared with where packets would really end: the resolved address, unwrapped
  (`addresses.unwrap`). A rule with a name is compared with the name that the client asked for.
- An *allow* by name or by `*` never admits a special address (loopback, private, …). Otherwise whoever owns the
  name's DNS could point it at the volunteer's network. Only an allow by address or by network does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from mayfly.wire.hello import MAX_TEXT
from mayfly_relay.addresses import Address, Network, Special, classify, unwrap
from mayfly_relay.names import is_local
from mayfly_relay.rules import Anything, Rule

MAIL_PORTS = (25, 465, 587, 2525)
"""Refused by default: SMTP, submission over TLS, submission, and the unofficial port that mail providers open for
those whose network blocks the others. Mail sent from here gets the volunteer's own address onto block lists, whether
it is delivered directly (25) or submitted with a stolen password (the rest). Ports for reading mail are open."""


class Reason(Enum):
    """Which part of the policy decided."""

    RULE = "a rule of the volunteer"
    MAIL = "mail port"
    SPECIAL = "special address"
    DEFAULT = "nothing against it"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision."""

    allowed: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class ExitPolicy:
    """The volunteer's rules, followed by the defaults."""

    rules: tuple[Rule, ...] = ()

    def decide(self, name: str | None, address: Address, port: int, own: Collection[Network] = ()) -> Verdict:
        """Whether a stream or datagram may go to `address` and `port`.

        `name` is what the client asked for, None where it gave an address. `own` are the relay's networks.
        """
        special = classify(address, own)
        for rule in self.rules:
            if rule.first_port <= port <= rule.last_port and _matches(rule, name, address, special):
                return Verdict(rule.allow, Reason.RULE)
        if special is not None:
            return Verdict(False, Reason.SPECIAL)
        if port in MAIL_PORTS:
            return Verdict(False, Reason.MAIL)
        return Verdict(True, Reason.DEFAULT)

    def decide_lookup(self, name: str | None, address: Address, own: Collection[Network] = ()) -> Verdict:
        """Whether a client may learn that `name` and `address` belong together.

        It may where at least one port of that address could be open to it, so a lookup tells nothing about what it
        could never reach.
        """
        special = classify(address, own)
        for rule in self.rules:
            if (rule.allow or rule.all_ports) and _matches(rule, name, address, special):
                return Verdict(rule.allow, Reason.RULE)
        if special is not None:
            return Verdict(False, Reason.SPECIAL)
        return Verdict(True, Reason.DEFAULT)

    def decide_name(self, name: str, port: int | None) -> Verdict:
        """Whether to pass on a name that the upstream resolves, and nobody here does. Without a port, for a lookup.

        Rules about addresses say nothing of it. A name of the own network is passed on only where a rule names it.
        """
        local = is_local(name)
        for rule in self.rules:
            if not (rule.allow or rule.all_ports if port is None else rule.first_port <= port <= rule.last_port):
                continue
            if isinstance(rule.host, Anything):
                if not (rule.allow and local):
                    return Verdict(rule.allow, Reason.RULE)
            elif rule.matches_name(name) and not (rule.allow and local and rule.host != name.rstrip(".").lower()):
                return Verdict(rule.allow, Reason.RULE)
        if local:
            return Verdict(False, Reason.SPECIAL)
        if port in MAIL_PORTS:
            return Verdict(False, Reason.MAIL)
        return Verdict(True, Reason.DEFAULT)

    def looks_up(self, name: str, own: Collection[Network] = ()) -> bool:
        """Whether a name may be resolved here at all, by a relay whose networks are `own`.

        Of one of the own network the answer, yes or no, would tell a client whether it exists. So it takes a rule that
        opens addresses there.
        """
        return not is_local(name) or any(rule.opens_special(own) for rule in self.rules)

    def summary(self) -> str:
        """What a client is told: ports that are closed, or open, for public addresses in general. At most 256 bytes.

        As in Tor's directory (dir-spec §3.8.2, `p accept` and `p reject`), whichever is shorter. Rules with an address
        or a name are only said to exist, since they describe the volunteer's network.
        """
        refused = self._refused_ports()
        more = "; other rules apply" if any(not isinstance(rule.host, Anything) for rule in self.rules) else ""
        room = MAX_TEXT - len(more)
        reject = "reject " + _join_ranges(refused)
        accepted = _complement(refused)
        accept = "accept " + _join_ranges(accepted)
        if not refused:
            return "accept *" + more
        if not accepted:
            return "reject *" + more
        if len(reject) <= min(len(accept), room):
            return reject + more
        # A list that is too long is cut where it only promises less than what is true.
        while len(accept) > room:
            accept = accept[: accept.rindex(",")]
        return accept + more

    def serves(self, port: int) -> bool:
        """Whether that port is open for public addresses in general."""
        return not any(first <= port <= last for first, last in self._refused_ports())

    def _refused_ports(self) -> list[tuple[int, int]]:
        """Port ranges closed by the rules for `*` and the defaults, in order."""
        undecided = [(1, 65535)]
        refused: list[tuple[int, int]] = []
        general = [
            (rule.first_port, rule.last_port, rule.allow) for rule in self.rules if isinstance(rule.host, Anything)
        ]
        for first, last, allow in [*general, *((port, port, False) for port in MAIL_PORTS)]:
            if not allow:
                refused += [
                    (max(first, low), min(last, high)) for low, high in undecided if low <= last and first <= high
                ]
            undecided = _without(undecided, first, last)
        return _merge(refused)


def _matches(rule: Rule, name: str | None, address: Address, special: Special | None) -> bool:
    if rule.allow and not rule.admits(special):
        return False
    if isinstance(rule.host, Anything):
        return True
    if isinstance(rule.host, str):
        return name is not None and rule.matches_name(name)
    # A refusal holds however the address is written; an allow only for where the packets would end.
    return unwrap(address) in rule.host or (not rule.allow and address in rule.host)


def _without(ranges: Sequence[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    rest: list[tuple[int, int]] = []
    for low, high in ranges:
        if low < first:
            rest.append((low, min(high, first - 1)))
        if high > last:
            rest.append((max(low, last + 1), high))
    return rest


def _merge(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _complement(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    rest = [(1, 65535)]
    for low, high in ranges:
        rest = _without(rest, low, high)
    return rest


def _join_ranges(ranges: Sequence[tuple[int, int]]) -> str:
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
