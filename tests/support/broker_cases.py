"""How a store behaves with relays of the pool, as cases that run on each kind of store. CASES are all cases."""

from __future__ import annotations

import secrets

from mayfly.rendezvous.messages import (
    About,
    Arrived,
    Ended,
    ErrorName,
    Mail,
    Mailbox,
    NewMessage,
    Opened,
    PostingUpdate,
    Want,
)
from support.broker_friend_cases import FRIEND_CASES
from support.broker_scene import ABOUT, CONFIG, KEY, Case, Scene, refused


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
    *FRIEND_CASES,
)
"""Every case; each gets a store of its own with the limits of CONFIG."""
