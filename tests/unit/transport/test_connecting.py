"""Waiting for an offerer, how long a link may take, and the words for what failed."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.errors import ConnectError
from mayfly.signaling.description import Description, Kind, Setup
from mayfly.transport.base import Link
from mayfly.transport.connecting import (
    Answering,
    deadline_of_the_rest,
    no_address,
    no_path,
    no_progress,
    no_turn_server,
    offer_spent,
    refused,
    wrong_certificate,
)
from mayfly.transport.memory import memory_links


def test_an_offerer_has_one_allowance_and_an_answerer_starts_anew_when_somebody_came() -> None:
    assert deadline_of_the_rest(100.0, 30.0, 30.0, 120.0) == 130.0
    assert deadline_of_the_rest(100.0, 900.0, 30.0, 700.0) == 730.0


@pytest.mark.parametrize("offerer", [True, False])
def test_no_path_says_who_may_not_have_come_and_what_a_symmetric_nat_needs(offerer: bool) -> None:
    assert ("nobody came" in no_path(offerer=offerer, symmetric=None).message) is not offerer
    assert "--turn" not in no_path(offerer=offerer, symmetric=None).hint
    assert "--turn" in no_path(offerer=offerer, symmetric=True).hint


def test_failures_say_what_to_do_next() -> None:
    assert no_progress("channel").stage == refused("it closed the link", "channel").stage == "channel"
    for error in (no_progress("channel"), refused("it closed the link", "channel"), wrong_certificate(), offer_spent()):
        assert error.hint
    assert no_address("check the network").hint == "check the network"
    assert "--turn" in no_turn_server().hint


DESCRIPTION = Description(Kind.ANSWER, Setup.ACTIVE, bytes(32), "ufrag", "p" * 22, ())


class Freed:
    """Counts."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


async def test_a_link_that_was_fetched_is_not_given_up_any_more() -> None:
    near, far = memory_links()
    freed = Freed()

    async def connecting() -> Link:
        return near

    answering = Answering(DESCRIPTION, connecting(), freed)
    assert answering.description is DESCRIPTION
    assert await answering.connected() is near
    await answering.close()
    assert freed.times == 0
    await asyncio.gather(near.close(), far.close())


async def test_one_that_connected_unseen_is_closed() -> None:
    near, far = memory_links()
    lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    far.start(lambda _message: None, lambda: None, lost.set_result)
    freed, connected = Freed(), asyncio.Event()

    async def connecting() -> Link:
        connected.set()
        return near

    answering = Answering(DESCRIPTION, connecting(), freed)
    await connected.wait()
    await answering.close()
    async with asyncio.timeout(5):
        assert await lost
    assert freed.times == 1
    await far.close()


async def test_giving_up_ends_the_waiting_and_says_so() -> None:
    freed = Freed()

    async def connecting() -> Link:
        await asyncio.Event().wait()
        raise AssertionError

    answering = Answering(DESCRIPTION, connecting(), freed)
    await answering.close()
    assert freed.times == 1
    with pytest.raises(ConnectError, match="given up"):
        await answering.connected()


async def test_a_failure_is_told_to_who_asks_and_to_nobody_else() -> None:
    freed = Freed()

    async def connecting() -> Link:
        raise no_path(offerer=False, symmetric=None)

    answering = Answering(DESCRIPTION, connecting(), freed)
    with pytest.raises(ConnectError, match="nobody came"):
        await answering.connected()
    await answering.close()
    assert freed.times == 1
