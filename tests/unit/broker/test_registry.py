"""The registry under any sequence of calls: nobody gets more than is his, nothing is held that nobody can reach."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from mayfly.rendezvous.messages import (
    About,
    ErrorName,
    FriendMatch,
    FriendPosting,
    NewMessage,
    Opened,
    PoolMatch,
    PoolPosting,
    PostingUpdate,
    Want,
)
from mayfly_broker.config import BrokerConfig
from mayfly_broker.refusals import RefusedError
from mayfly_broker.registry import Registry, digest

CONFIG = replace(
    BrokerConfig(), max_postings=6, max_matches=8, prefix_postings=4, prefix_matches=5, prefix_claims=6, max_nameplate=5
)
OWNERS = st.sampled_from(["a", "b", "c"])
NATS = st.sampled_from(["open", "cone", "symmetric", "unknown"])
UPSTREAMS = st.sampled_from(["direct", "tor"])


@dataclass
class Relay:
    """What the model knows of a posting."""

    id: str
    friend: str | None
    opened: int = 0


class Calls(RuleBasedStateMachine):
    """Relays, clients and a clock do what they like; the model counts along."""

    relays = Bundle("relays")
    matches = Bundle("matches")

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.registry = Registry(CONFIG, random.Random(1).randrange)
        self.number = 0
        self.open: dict[str, set[str]] = {}
        self.of: dict[str, str] = {}

    def fresh(self) -> str:
        """A name that no one has had."""
        self.number += 1
        return f"{self.number:016d}"

    @rule(target=relays, owner=OWNERS, capacity=st.integers(0, 3), nat=NATS, upstream=UPSTREAMS)
    def post(self, owner: str, capacity: int, nat: str, upstream: str) -> object:
        name = self.fresh()
        about = About(upstream, nat, ("web",))  # type: ignore[arg-type]  # drawn from the literals
        try:
            self.registry.post(PoolPosting(1, "k" * 43, capacity, 300, about), name, name, owner, self.now)
        except RefusedError as error:
            assert error.name in (ErrorName.FULL, ErrorName.TOO_MANY)
            return multiple()
        self.open[name] = set()
        return Relay(name, None)

    @rule(target=relays, owner=OWNERS)
    def wait_for_a_friend(self, owner: str) -> object:
        name = self.fresh()
        try:
            plate = self.registry.post(FriendPosting(1, 300), name, name, owner, self.now)
        except RefusedError as error:
            assert error.name in (ErrorName.FULL, ErrorName.TOO_MANY)
            return multiple()
        self.open[name] = set()
        return Relay(name, plate)

    @rule(target=matches, owner=OWNERS, nat=NATS, exclude=st.lists(relays, max_size=2))
    def match(self, owner: str, nat: str, exclude: list[Relay]) -> object:
        name = self.fresh()
        names = tuple(relay.id for relay in exclude)
        try:
            made = self.registry.match(PoolMatch(1, Want(nat), names), name, name, owner, self.now)  # type: ignore[arg-type]
        except RefusedError as error:
            assert error.name in (ErrorName.FULL, ErrorName.TOO_MANY, ErrorName.NO_RELAY)
            return multiple()
        assert made.posting not in names
        self.open[made.posting].add(name)
        self.of[name] = made.posting
        return name

    @rule(target=matches, owner=OWNERS, relay=relays)
    def claim(self, owner: str, relay: Relay) -> object:
        name = self.fresh()
        try:
            made = self.registry.match(FriendMatch(1, relay.friend or "77"), name, name, owner, self.now)
        except RefusedError as error:
            assert error.name is not ErrorName.NO_RELAY
            return multiple()
        relay.opened += made.posting == relay.id
        assert relay.opened <= CONFIG.openings
        self.open[made.posting].add(name)
        self.of[name] = made.posting
        return name

    @rule(match=matches, relayed=st.booleans(), outcome=st.sampled_from(["done", "wrong-word", "failed"]))
    def close(self, match: str, relayed: bool, outcome: str) -> None:
        posting = self.of[match]
        was_open = match in self.open.get(posting, ())
        try:
            self.registry.close(match, posting if relayed else match, outcome, self.now)  # type: ignore[arg-type]
        except RefusedError as error:
            assert error.name in (ErrorName.UNKNOWN_MATCH, ErrorName.UNAUTHORIZED)
            return
        if was_open and self.still_open(match):
            raise AssertionError("a match was closed and is open")

    @rule(match=matches, relayed=st.booleans(), n=st.integers(1, 3), body=st.sampled_from(["x", "y" * 5000]))
    def send(self, match: str, relayed: bool, n: int, body: str) -> None:
        try:
            self.registry.send(match, self.of[match] if relayed else match, NewMessage(n, body), self.now)
            box = self.registry.mailbox(match, match if relayed else self.of[match], 0, self.now)
        except RefusedError as error:
            assert error.name not in (ErrorName.UNKNOWN_POSTING, ErrorName.NO_RELAY)
            return
        assert box.messages[n - 1].body == body
        assert sum(len(mail.body) for mail in box.messages) <= CONFIG.max_mailbox

    @rule(relay=relays)
    def poll(self, relay: Relay) -> None:
        try:
            news = self.registry.news(relay.id, relay.id, 0, self.now)
        except RefusedError as error:
            assert error.name in (ErrorName.UNKNOWN_POSTING, ErrorName.USED, ErrorName.BURNED)
            return
        seqs = [event.seq for event in news.events]
        assert seqs == sorted(set(seqs))
        assert {event.match for event in news.events if isinstance(event, Opened)} <= set(self.of)

    @rule(relay=relays, capacity=st.integers(0, 3))
    def update(self, relay: Relay, capacity: int) -> None:
        try:
            self.registry.update(relay.id, relay.id, PostingUpdate(capacity=capacity), self.now)
        except RefusedError as error:
            assert error.name in (ErrorName.UNKNOWN_POSTING, ErrorName.USED, ErrorName.BURNED)

    @rule(relay=relays)
    def cut(self, relay: Relay) -> None:
        self.registry.cut(relay.id, self.now)

    @rule(relay=consumes(relays))
    def leave(self, relay: Relay) -> None:
        try:
            self.registry.leave(relay.id, relay.id, self.now)
        except RefusedError as error:
            assert error.name is ErrorName.UNKNOWN_POSTING

    @rule(seconds=st.sampled_from([0.5, 5, 16, 44, 61, 601]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    def still_open(self, match: str) -> bool:
        """As the client sees it."""
        try:
            return self.registry.mailbox(match, match, 0, self.now).closed is None
        except RefusedError:
            return False

    @invariant()
    def nobody_gets_more_than_there_is(self) -> None:
        for matches in self.open.values():
            matches -= {match for match in matches if not self.still_open(match)}
        postings, free, held = self.registry.counts()
        assert postings <= CONFIG.max_postings
        assert free <= postings
        assert held == sum(map(len, self.open.values())) <= CONFIG.max_matches

    def teardown(self) -> None:
        for _ in range(3):  # postings end, then the matches that ended with them are forgotten
            self.now += 2000
            self.registry.expire(self.now)
        assert self.registry.counts() == (0, 0, 0)
        assert self.registry.next_timeout() is None
        inside = vars(self.registry)
        for name in ("_postings", "_matches", "_plates", "_owned", "_held", "_due"):
            assert not inside[name], f"{name} still holds something"


class Seats(RuleBasedStateMachine):
    """Only matching and closing, with the one rule that matters: never more open matches than seats."""

    def __init__(self) -> None:
        super().__init__()
        self.registry = Registry(BrokerConfig(), random.Random(2).randrange)
        self.open: dict[str, list[str]] = {}
        self.seats: dict[str, int] = {}
        self.number = 0

    @rule(capacity=st.integers(0, 4))
    def post(self, capacity: int) -> None:
        self.number += 1
        name = str(self.number)
        self.registry.post(PoolPosting(1, "k", capacity, 300, About("direct")), name, name, name, 0)
        self.seats[name], self.open[name] = capacity, []

    @rule()
    def match(self) -> None:
        self.number += 1
        name = str(self.number)
        free = sum(self.seats.values()) - sum(map(len, self.open.values()))
        try:
            made = self.registry.match(PoolMatch(1), name, name, name, 0)
        except RefusedError:
            assert free == 0
            return
        self.open[made.posting].append(name)
        assert len(self.open[made.posting]) <= self.seats[made.posting]

    @rule(data=st.data(), outcome=st.sampled_from(["done", "failed"]))
    def close(self, data: st.DataObject, outcome: str) -> None:
        every = [(posting, match) for posting, matches in self.open.items() for match in matches]
        if every:
            posting, match = data.draw(st.sampled_from(every))
            self.registry.close(match, posting, outcome, 0)  # type: ignore[arg-type]  # one of the literals
            self.open[posting].remove(match)
            self.seats[posting] -= outcome == "done"


TestCalls = Calls.TestCase
TestCalls.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestSeats = Seats.TestCase
TestSeats.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)


def test_a_token_is_kept_as_its_digest() -> None:
    registry = Registry(CONFIG, lambda _: 0)
    registry.post(FriendPosting(1, 60), "p", "secret-token", "owner", 0)
    kept = repr(vars(registry)["_postings"])
    assert repr(digest("secret-token")) in kept
    assert "secret-token" not in kept
