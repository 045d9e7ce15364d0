"""How a store behaves, as cases that run on each kind of store with a clock that the test moves."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import replace

from mayfly.config import BrokerConfig
from mayfly.rendezvous.messages import (
    About,
    Arrived,
    Ended,
    ErrorName,
    FriendMatch,
    FriendPosting,
    Mail,
    Mailbox,
    MatchCreated,
    NewMessage,
    Opened,
    PoolMatch,
    PoolPosting,
    PostingUpdate,
    Want,
)
from mayfly_broker.refusals import RefusedError
from mayfly_broker.store import Store

KEY = "k" * 43
ABOUT = About("direct", "open", ("web", "high"), 3600, 0)
CONFIG = replace(
    BrokerConfig(),
    max_postings=12,
    prefix_postings=8,
    prefix_matches=6,
    max_matches=10,
    prefix_claims=9,
    max_nameplate=7,
)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Relay:
    """A posting as its relay holds it."""

    def __init__(self, scene: Scene, posting: str, token: str, nameplate: str | None, stands: float) -> None:
        self.store, self.posting, self.token = scene.store, posting, token
        self.nameplate, self.stands = nameplate, stands

    async def events(self, after: int = 0) -> list[Opened | Arrived | Ended]:
        """Its news."""
        return list((await self.store.news(self.posting, self.token, after)).events)

    async def close(self, match: MatchCreated, outcome: str = "done") -> None:
        """Its word on a match."""
        await self.store.close(match.match, self.token, outcome)  # type: ignore[arg-type]  # cases name them plainly


class Scene:
    """A fresh store and its clock."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    async def pool(self, capacity: int = 1, about: About = ABOUT, lifetime: float = 3600, owner: str = "r") -> Relay:
        """A relay comes to the pool."""
        posting, token = secrets.token_urlsafe(12), secrets.token_urlsafe(16)
        request = PoolPosting(1, KEY, capacity, lifetime, about)
        return Relay(self, posting, token, *await self.store.post(request, posting, token, owner))

    async def friend(self, lifetime: float = 3600, owner: str = "r", wish: str | None = None) -> Relay:
        """A relay waits for a friend."""
        posting, token = secrets.token_urlsafe(12), secrets.token_urlsafe(16)
        return Relay(
            self, posting, token, *await self.store.post(FriendPosting(1, lifetime, wish), posting, token, owner)
        )

    async def client(
        self, want: Want | None = None, exclude: Sequence[Relay] = (), owner: str = "c", nameplate: str | None = None
    ) -> MatchCreated:
        """A client is matched."""
        request = (
            PoolMatch(1, want or Want(), tuple(relay.posting for relay in exclude))
            if nameplate is None
            else FriendMatch(1, nameplate)
        )
        return await self.store.match(request, secrets.token_urlsafe(12), secrets.token_urlsafe(16), owner)

    async def clients(self, count: int) -> list[MatchCreated]:
        """Several."""
        return [await self.client(owner=f"c{number}") for number in range(count)]


Case = Callable[[Scene], Awaitable[None]]


@contextlib.asynccontextmanager
async def refused(name: ErrorName) -> AsyncGenerator[RefusedError, None]:
    """The block must be refused with that name; yields an error that takes the values of the one raised."""
    seen = RefusedError(name)
    try:
        yield seen
    except RefusedError as error:
        assert error.name is name, f"refused with {error.name} and not {name}"
        seen.retry_after = error.retry_after
        return
    raise AssertionError(f"not refused with {name}")


async def a_client_gets_the_relay_and_both_talk(scene: Scene) -> None:
    relay = await scene.pool()
    assert (relay.nameplate, relay.stands) == (None, CONFIG.lease)
    match = await scene.client()
    assert (match.posting, match.key, match.about, match.expires_in) == (relay.posting, KEY, ABOUT, 60)
    await scene.store.send(match.match, match.token, NewMessage(1, "offer"))
    first, second = await relay.events()
    assert first == Opened(1, match.match)
    assert second == Arrived(2, match.match, 1, "offer")
    assert await relay.events(after=1) == [second]
    assert await relay.events(after=2) == []
    assert (await scene.store.mailbox(match.match, relay.token, 0)) == Mailbox((Mail(1, "offer"),), 1)
    await scene.store.send(match.match, relay.token, NewMessage(1, "answer"))
    await relay.close(match)
    assert await scene.store.mailbox(match.match, match.token, 0) == Mailbox((Mail(1, "answer"),), 1, "done")
    assert await scene.store.mailbox(match.match, match.token, 1) == Mailbox((), 1, "done")
    assert (await relay.events(after=2)) == [Ended(3, match.match, "done")]


async def capacity_is_never_exceeded(scene: Scene) -> None:
    relay = await scene.pool(capacity=2)
    first, second = await scene.clients(2)
    async with refused(ErrorName.NO_RELAY) as error:
        await scene.client()
    assert error.retry_after
    await relay.close(first, "failed")  # gives its seat back
    third = await scene.client()
    await relay.close(second, "done")  # and this one keeps it
    async with refused(ErrorName.NO_RELAY):
        await scene.client()
    await scene.store.close(third.match, third.token, "done")  # a client's word that all is well counts for nothing
    await scene.client()
    async with refused(ErrorName.NO_RELAY):
        await scene.client()
    await scene.store.update(relay.posting, relay.token, PostingUpdate(capacity=3))
    await scene.clients(2)


async def a_relay_without_capacity_is_left_alone_until_it_has_some(scene: Scene) -> None:
    relay = await scene.pool(capacity=0)
    async with refused(ErrorName.NO_RELAY):
        await scene.client()
    await scene.store.update(relay.posting, relay.token, PostingUpdate(capacity=1))
    assert (await scene.client()).posting == relay.posting


async def wants_are_met(scene: Scene) -> None:
    tor = await scene.pool(9, About("tor", "open", ("web",)))
    ssh = await scene.pool(9, About("direct", "open", ("ssh", "web")))
    assert (await scene.client(Want(upstream="tor"))).posting == tor.posting
    assert (await scene.client(Want(serves="ssh"))).posting == ssh.posting
    async with refused(ErrorName.NO_RELAY):
        await scene.client(Want(serves="ssh", upstream="tor"))
    async with refused(ErrorName.NO_RELAY):
        await scene.client(Want(serves="low"))
    assert (await scene.client(exclude=[tor])).posting == ssh.posting
    async with refused(ErrorName.NO_RELAY):
        await scene.client(exclude=[tor, ssh])


async def nats_that_cannot_meet_are_not_matched(scene: Scene) -> None:
    symmetric = await scene.pool(9, About("direct", "symmetric"))
    for nat in ("cone", "symmetric"):
        async with refused(ErrorName.NO_RELAY):
            await scene.client(Want(nat))
    assert (await scene.client(Want("unknown"))).posting == symmetric.posting
    cone = await scene.pool(9, About("direct", "cone"))
    assert (await scene.client(Want("cone"))).posting == cone.posting
    async with refused(ErrorName.NO_RELAY):
        await scene.client(Want("symmetric"))
    assert (await scene.client(Want("open"))).posting == symmetric.posting  # leaves the better ones to others


async def the_least_loaded_comes_first(scene: Scene) -> None:
    busy = await scene.pool(4, About("direct", load=0.9))
    idle = await scene.pool(4)
    assert {match.posting for match in await scene.clients(4)} == {idle.posting}
    assert (await scene.client()).posting == busy.posting


async def those_alike_are_drawn_by_chance(scene: Scene) -> None:
    relays = [await scene.pool(64) for _ in range(4)]
    seen = set()
    for _ in range(60):
        match = await scene.client()
        seen.add(match.posting)
        await scene.store.close(match.match, match.token, "failed")
        scene.clock.pass_(CONFIG.linger)
        for relay in relays:
            await relay.events()
    assert seen == {relay.posting for relay in relays}


async def a_posting_lapses_unless_its_relay_polls(scene: Scene) -> None:
    relay = await scene.pool()
    scene.clock.pass_(CONFIG.lease - 1)
    await relay.events()
    scene.clock.pass_(CONFIG.lease - 1)
    await scene.store.update(relay.posting, relay.token, PostingUpdate())
    scene.clock.pass_(CONFIG.lease)
    async with refused(ErrorName.NO_RELAY):
        await scene.client()
    async with refused(ErrorName.UNKNOWN_POSTING):
        await relay.events()
    assert await scene.store.counts() == (0, 0, 0)


async def a_posting_ends_with_its_lifetime(scene: Scene) -> None:
    relay = await scene.pool(lifetime=50)
    scene.clock.pass_(30)
    assert (await scene.store.news(relay.posting, relay.token, 0)).expires_in == 20
    assert (await scene.client()).expires_in == 20
    assert await scene.store.update(relay.posting, relay.token, PostingUpdate(lifetime=30)) == 30
    scene.clock.pass_(30)
    async with refused(ErrorName.UNKNOWN_POSTING):
        await relay.events()


async def a_cut_poll_shortens_the_lease_until_the_next(scene: Scene) -> None:
    dead, back = await scene.pool(), await scene.pool()
    for relay in (dead, back):
        await scene.store.cut(relay.posting)
    scene.clock.pass_(CONFIG.cut_lease - 1)
    await back.events()
    scene.clock.pass_(1)
    async with refused(ErrorName.UNKNOWN_POSTING):
        await dead.events()
    scene.clock.pass_(CONFIG.lease - 2)
    assert (await scene.client()).posting == back.posting
    await scene.store.cut("nobodys-posting_")


async def leaving_ends_what_is_open(scene: Scene) -> None:
    relay = await scene.pool(2)
    match = await scene.client()
    await scene.store.leave(relay.posting, relay.token)
    assert (await scene.store.mailbox(match.match, match.token, 0)).closed == "left"
    async with refused(ErrorName.UNKNOWN_POSTING):
        await scene.store.leave(relay.posting, relay.token)
    async with refused(ErrorName.CLOSED):
        await scene.store.send(match.match, match.token, NewMessage(1, "x"))
    scene.clock.pass_(CONFIG.linger)
    async with refused(ErrorName.UNKNOWN_MATCH):
        await scene.store.mailbox(match.match, match.token, 0)
    assert await scene.store.counts() == (0, 0, 0)


async def a_match_expires(scene: Scene) -> None:
    relay = await scene.pool()
    match = await scene.client()
    for _ in range(2):
        scene.clock.pass_(CONFIG.match_lifetime / 2)
        await relay.events()
    assert (await scene.store.mailbox(match.match, match.token, 0)).closed == "expired"
    assert (await relay.events(1)) == [Ended(2, match.match, "expired")]
    again = await scene.client()
    assert again.posting == relay.posting
    scene.clock.pass_(CONFIG.linger)
    assert [event.match for event in await relay.events()] == [again.match]  # the old one's events are forgotten


async def a_match_closed_late_can_still_be_read(scene: Scene) -> None:
    relay = await scene.pool()
    match = await scene.client()
    scene.clock.pass_(40)
    await relay.events()
    scene.clock.pass_(15)
    await relay.close(match)
    scene.clock.pass_(CONFIG.linger - 1)  # past the time at which it would have expired
    assert (await scene.store.mailbox(match.match, match.token, 0)).closed == "done"


async def messages_are_numbered(scene: Scene) -> None:
    relay = await scene.pool()
    match = await scene.client()
    for name, token in (("c", match.token), ("r", relay.token)):
        async with refused(ErrorName.OUT_OF_ORDER):
            await scene.store.send(match.match, token, NewMessage(2, "x"))
        await scene.store.send(match.match, token, NewMessage(1, name))
        await scene.store.send(match.match, token, NewMessage(1, name))  # the answer was lost
        async with refused(ErrorName.OUT_OF_ORDER):
            await scene.store.send(match.match, token, NewMessage(1, "other"))
        await scene.store.send(match.match, token, NewMessage(2, "x"))
    assert (await scene.store.mailbox(match.match, match.token, 0)).messages == (Mail(1, "r"), Mail(2, "x"))
    assert len(await relay.events()) == 3
    await relay.close(match)
    await scene.store.send(match.match, match.token, NewMessage(2, "x"))  # said before the end
    async with refused(ErrorName.CLOSED):
        await scene.store.send(match.match, match.token, NewMessage(3, "x"))


async def news_comes_in_portions(scene: Scene) -> None:
    relay = await scene.pool(4)
    for match in await scene.clients(4):
        for number in (1, 2):
            await scene.store.send(match.match, match.token, NewMessage(number, "x" * 4000))
    seen, cursor = [], 0
    for _ in range(2):
        news = await scene.store.news(relay.posting, relay.token, cursor)
        seen += [event.seq for event in news.events]
        cursor = news.cursor
    assert (seen, cursor) == (list(range(1, 13)), 12)


async def a_mailbox_has_a_size(scene: Scene) -> None:
    await scene.pool()
    match = await scene.client()
    half = "x" * (CONFIG.max_mailbox // 2)
    for number in (1, 2):
        await scene.store.send(match.match, match.token, NewMessage(number, half))
    async with refused(ErrorName.MAILBOX_FULL):
        await scene.store.send(match.match, match.token, NewMessage(3, "x"))


async def tokens_are_asked_for(scene: Scene) -> None:
    relay, other = await scene.pool(), await scene.friend()
    match = await scene.client()
    second = await scene.client(nameplate=other.nameplate)
    for token in (other.token, second.token, secrets.token_urlsafe(16)):
        async with refused(ErrorName.UNAUTHORIZED):
            await scene.store.news(relay.posting, token, 0)
        async with refused(ErrorName.UNAUTHORIZED):
            await scene.store.update(relay.posting, token, PostingUpdate(capacity=64))
        async with refused(ErrorName.UNAUTHORIZED):
            await scene.store.leave(relay.posting, token)
        async with refused(ErrorName.UNAUTHORIZED):
            await scene.store.mailbox(match.match, token, 0)
        async with refused(ErrorName.UNAUTHORIZED):
            await scene.store.send(match.match, token, NewMessage(1, "x"))
        async with refused(ErrorName.UNAUTHORIZED):
            await scene.store.close(match.match, token, "failed")
    assert (await scene.store.mailbox(match.match, match.token, 0)).closed is None


async def a_friend_comes_by_nameplate(scene: Scene) -> None:
    relay = await scene.friend()
    assert relay.nameplate == "1"
    match = await scene.client(nameplate="1")
    assert (match.posting, match.key, match.about) == (relay.posting, None, None)
    await relay.close(match, "done")
    async with refused(ErrorName.USED):
        await scene.client(nameplate="1")
    async with refused(ErrorName.USED):
        await relay.events()
    async with refused(ErrorName.NO_SUCH_NAMEPLATE):
        await scene.client(nameplate="2")
    async with refused(ErrorName.NO_RELAY):
        await scene.client()  # a friend's posting is nobody else's


async def three_tries_burn_a_code(scene: Scene) -> None:
    relay = await scene.friend()
    for outcome in ("wrong-word", "failed", "wrong-word"):
        match = await scene.client(nameplate="1")
        async with refused(ErrorName.BUSY) as error:
            await scene.client(nameplate="1")
        assert error.retry_after == CONFIG.match_lifetime
        await relay.close(match, outcome)
    async with refused(ErrorName.BURNED):
        await scene.client(nameplate="1")
    async with refused(ErrorName.BURNED):
        await relay.events()


async def a_client_cannot_spare_its_tries(scene: Scene) -> None:
    relay = await scene.friend()
    for _ in range(3):
        match = await scene.client(nameplate="1")
        await scene.store.close(match.match, match.token, "done")
    async with refused(ErrorName.BURNED):
        await relay.events()


async def matches_that_are_let_lie_are_tries_too(scene: Scene) -> None:
    relay = await scene.friend()
    for _ in range(3):
        await scene.client(nameplate="1")
        for _ in range(2):
            await relay.events()
            scene.clock.pass_(CONFIG.match_lifetime / 2)
    async with refused(ErrorName.BURNED):
        await relay.events()


async def nameplates_rest_before_they_are_used_again(scene: Scene) -> None:
    first, second = await scene.friend(), await scene.friend()
    assert (first.nameplate, second.nameplate) == ("1", "2")
    await scene.store.leave(first.posting, first.token)
    assert (await scene.friend()).nameplate == "3"
    async with refused(ErrorName.NO_SUCH_NAMEPLATE):
        await scene.client(nameplate="1")
    scene.clock.pass_(CONFIG.nameplate_rest)
    assert [(await scene.friend()).nameplate for _ in range(2)] == ["1", "4"]  # 2 and 3 have lapsed just now, and rest


async def a_relay_may_ask_for_the_nameplate_that_it_had(scene: Scene) -> None:
    assert (await scene.friend(wish="2")).nameplate == "2"
    assert (await scene.friend(wish="2")).nameplate == "1"  # taken
    third = await scene.friend()
    assert third.nameplate == "3"
    await scene.store.leave(third.posting, third.token)
    assert (await scene.friend(wish="3")).nameplate == "4"  # at rest
    assert (await scene.friend(wish="9999999")).nameplate == "5"  # too large
    scene.clock.pass_(CONFIG.nameplate_rest)
    assert (await scene.friend(wish="3")).nameplate == "3"
    assert (await scene.friend(wish="77")).nameplate in ("1", "6")  # the others have lapsed just now, and rest


async def nameplates_run_out(scene: Scene) -> None:
    for _ in range(CONFIG.max_nameplate):
        await scene.friend()
    async with refused(ErrorName.FULL):
        await scene.friend()
    assert (await scene.store.counts())[0] == CONFIG.max_nameplate


async def a_burned_code_is_remembered_and_then_forgotten(scene: Scene) -> None:
    relay = await scene.friend()
    for _ in range(3):
        await relay.close(await scene.client(nameplate="1"), "wrong-word")
    scene.clock.pass_(CONFIG.nameplate_rest - 1)
    async with refused(ErrorName.BURNED):
        await scene.client(nameplate="1")
    scene.clock.pass_(1)
    async with refused(ErrorName.NO_SUCH_NAMEPLATE):
        await scene.client(nameplate="1")
    assert await scene.store.counts() == (0, 0, 0)


async def one_network_tries_few_nameplates(scene: Scene) -> None:
    for _ in range(CONFIG.prefix_claims):
        async with refused(ErrorName.NO_SUCH_NAMEPLATE):
            await scene.client(nameplate="5")
    async with refused(ErrorName.TOO_MANY) as error:
        await scene.client(nameplate="5")
    assert error.retry_after == CONFIG.claim_window
    async with refused(ErrorName.NO_SUCH_NAMEPLATE):
        await scene.client(nameplate="5", owner="another")
    scene.clock.pass_(CONFIG.claim_window)
    async with refused(ErrorName.NO_SUCH_NAMEPLATE):
        await scene.client(nameplate="5")


async def one_network_has_few_postings_and_matches(scene: Scene) -> None:
    relays = [await scene.pool() for _ in range(CONFIG.prefix_postings)]
    async with refused(ErrorName.TOO_MANY):
        await scene.pool()
    await scene.store.leave(relays[0].posting, relays[0].token)
    await scene.pool()
    matches = [await scene.client() for _ in range(CONFIG.prefix_matches)]
    async with refused(ErrorName.TOO_MANY):
        await scene.client()
    await scene.store.close(matches[0].match, matches[0].token, "failed")
    await scene.client()


async def the_whole_is_bounded(scene: Scene) -> None:
    for number in range(CONFIG.max_postings):
        await scene.pool(owner=f"r{number}")
    async with refused(ErrorName.FULL):
        await scene.pool(owner="new")
    matches = await scene.clients(CONFIG.max_matches)
    async with refused(ErrorName.FULL):
        await scene.client(owner="new")
    await scene.store.close(matches[0].match, matches[0].token, "failed")
    async with refused(ErrorName.FULL):  # it lingers, and still takes its place
        await scene.client(owner="new")
    scene.clock.pass_(CONFIG.linger)
    await scene.client(owner="new")


async def nothing_stays_when_all_have_gone(scene: Scene) -> None:
    await scene.pool(3)
    friend = await scene.friend()
    for match in [*await scene.clients(3), await scene.client(nameplate=friend.nameplate)]:
        await scene.store.send(match.match, match.token, NewMessage(1, "x"))
    assert await scene.store.counts() == (2, 0, 4)
    scene.clock.pass_(CONFIG.lease)
    assert await scene.store.counts() == (0, 0, 0)


async def the_key_of_the_day_is_a_key(scene: Scene) -> None:
    key = await scene.store.daily_key()
    assert len(key) == 32
    assert await scene.store.daily_key() == key


CASES: tuple[Case, ...] = (
    a_client_gets_the_relay_and_both_talk,
    capacity_is_never_exceeded,
    a_relay_without_capacity_is_left_alone_until_it_has_some,
    wants_are_met,
    nats_that_cannot_meet_are_not_matched,
    the_least_loaded_comes_first,
    those_alike_are_drawn_by_chance,
    a_posting_lapses_unless_its_relay_polls,
    a_posting_ends_with_its_lifetime,
    a_cut_poll_shortens_the_lease_until_the_next,
    leaving_ends_what_is_open,
    a_match_expires,
    a_match_closed_late_can_still_be_read,
    messages_are_numbered,
    news_comes_in_portions,
    a_mailbox_has_a_size,
    tokens_are_asked_for,
    a_friend_comes_by_nameplate,
    three_tries_burn_a_code,
    a_client_cannot_spare_its_tries,
    matches_that_are_let_lie_are_tries_too,
    nameplates_rest_before_they_are_used_again,
    a_relay_may_ask_for_the_nameplate_that_it_had,
    nameplates_run_out,
    a_burned_code_is_remembered_and_then_forgotten,
    one_network_tries_few_nameplates,
    one_network_has_few_postings_and_matches,
    the_whole_is_bounded,
    nothing_stays_when_all_have_gone,
    the_key_of_the_day_is_a_key,
)
"""Every case; each gets a store of its own with the limits of CONFIG."""
