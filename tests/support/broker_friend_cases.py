"""How a store behaves with friends, nameplates and limits, as cases that run on each kind of store."""

from __future__ import annotations

from mayfly.rendezvous.messages import ErrorName, MatchCreated, NewMessage
from mayfly_broker.registry import GUESS
from support.broker_scene import CONFIG, Case, Relay, Scene, refused


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


async def guess(scene: Scene, relay: Relay) -> MatchCreated:
    """A friend's match as far as the message by which the relay tells right words from wrong ones."""
    match = await scene.client(nameplate=relay.nameplate)
    for n in (1, GUESS):
        await scene.store.send(match.match, match.token, NewMessage(n, "x"))
    return match


async def three_tries_burn_a_code(scene: Scene) -> None:
    relay = await scene.friend()
    for outcome in ("wrong-word", "failed", "wrong-word"):
        match = await guess(scene, relay)
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
        match = await guess(scene, relay)
        await scene.store.close(match.match, match.token, "done")
    async with refused(ErrorName.BURNED):
        await relay.events()


async def guesses_that_are_let_lie_are_tries_too(scene: Scene) -> None:
    relay = await scene.friend()
    for _ in range(3):
        await guess(scene, relay)
        for _ in range(2):
            await relay.events()
            scene.clock.pass_(CONFIG.match_lifetime / 2)
    async with refused(ErrorName.BURNED):
        await relay.events()


async def a_message_that_is_sent_again_is_no_second_try(scene: Scene) -> None:
    relay = await scene.friend()
    match = await guess(scene, relay)
    for _ in range(3):
        await scene.store.send(match.match, match.token, NewMessage(GUESS, "x"))
    await relay.close(match, "wrong-word")
    await relay.close(await guess(scene, relay), "done")
    async with refused(ErrorName.USED):
        await relay.events()


async def matches_that_break_off_before_a_guess_are_no_tries_but_not_endless(scene: Scene) -> None:
    relay = await scene.friend()
    for number in range(CONFIG.openings):
        await relay.events()
        match = await scene.client(nameplate="1", owner=f"c{number}")
        if number % 2:
            await scene.store.send(match.match, match.token, NewMessage(1, "x"))
        await relay.close(match, "failed")
        scene.clock.pass_(CONFIG.linger)
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
        await relay.close(await guess(scene, relay), "wrong-word")
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


FRIEND_CASES: tuple[Case, ...] = (
    a_friend_comes_by_nameplate,
    three_tries_burn_a_code,
    a_client_cannot_spare_its_tries,
    guesses_that_are_let_lie_are_tries_too,
    a_message_that_is_sent_again_is_no_second_try,
    matches_that_break_off_before_a_guess_are_no_tries_but_not_endless,
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
"""Each gets a store of its own with the limits of CONFIG."""
