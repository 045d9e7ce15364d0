"""Waiting for an offerer, how long a link may take, and the words for what failed."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.errors import ConnectError
from mayfly.transport.base import Link
from mayfly.transport.connecting import Meeting, deadline_of_the_rest, no_path, no_progress, offer_spent
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
    assert no_progress("channel").stage == "channel" and no_progress("channel").hint
    assert offer_spent().hint


class Freed:
    """Counts."""

    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


async def test_a_link_that_was_fetched_is_no_longer_the_meetings() -> None:
    near, far = memory_links()
    freed = Freed()

    async def connecting() -> Link:
        return near

    meeting = Meeting(connecting(), freed)
    assert await meeting.connected() is near
    await meeting.close()
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

    meeting = Meeting(connecting(), freed)
    await connected.wait()
    await meeting.close()
    async with asyncio.timeout(5):
        assert await lost
    assert freed.times == 1
    await far.close()


async def test_giving_up_ends_the_waiting_and_says_so() -> None:
    freed = Freed()

    async def connecting() -> Link:
        await asyncio.Event().wait()
        raise AssertionError

    meeting = Meeting(connecting(), freed)
    await meeting.close()
    assert freed.times == 1
    with pytest.raises(ConnectError, match="given up"):
        await meeting.connected()


async def test_a_failure_is_told_to_who_asks_and_to_nobody_else() -> None:
    freed = Freed()

    async def connecting() -> Link:
        raise no_path(offerer=False, symmetric=None)

    meeting = Meeting(connecting(), freed)
    with pytest.raises(ConnectError, match="nobody came"):
        await meeting.connected()
    await meeting.close()
    assert freed.times == 1
