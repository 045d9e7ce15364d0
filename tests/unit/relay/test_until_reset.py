"""A client that resets its stream ends the work for it, and nothing else does."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from mayfly.errors import StreamResetError
from mayfly.runtime.stream import Stream, StreamHandler
from mayfly_relay.until_reset import UntilReset


class FakeStream:
    """The two calls of a stream that UntilReset makes."""

    def __init__(self) -> None:
        self.handler: StreamHandler | None = None
        self.left = False

    def check_wanted(self) -> None:
        if self.left:
            raise StreamResetError(7)

    def attach(self, handler: StreamHandler) -> None:
        self.handler = handler


@pytest.fixture
def fake() -> FakeStream:
    return FakeStream()


def until_reset(fake: FakeStream) -> UntilReset:
    return UntilReset(cast(Stream, fake))


@pytest.mark.parametrize("how", ["stream_reset", "stream_stopped"])
async def test_a_reset_cancels_the_body(fake: FakeStream, how: str) -> None:
    cancelled = False
    with pytest.raises(StreamResetError) as caught, until_reset(fake):
        assert fake.handler is not None
        asyncio.get_running_loop().call_soon(getattr(fake.handler, how), 5)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled = True
            raise
    assert cancelled
    assert caught.value.code == 5
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_both_halves_reset_is_one_cancellation(fake: FakeStream) -> None:
    def both() -> None:
        assert fake.handler is not None
        fake.handler.stream_reset(5)
        fake.handler.stream_stopped(6)

    with pytest.raises(StreamResetError), until_reset(fake):
        asyncio.get_running_loop().call_soon(both)
        await asyncio.sleep(60)
    await asyncio.sleep(0)


async def test_a_reset_afterwards_cancels_nothing(fake: FakeStream) -> None:
    with until_reset(fake):
        await asyncio.sleep(0)
    assert fake.handler is not None
    fake.handler.stream_readable()
    fake.handler.stream_writable()
    fake.handler.stream_reset(5)
    await asyncio.sleep(0)


async def test_a_client_that_left_before_is_noticed_at_once(fake: FakeStream) -> None:
    fake.left = True
    with pytest.raises(StreamResetError), until_reset(fake):
        raise AssertionError("the body must not run")


@pytest.mark.parametrize("reset", [False, True])
async def test_a_cancellation_from_outside_passes_and_wins_over_a_reset(fake: FakeStream, reset: bool) -> None:
    entered = asyncio.Event()

    async def work() -> None:
        with until_reset(fake):
            entered.set()
            await asyncio.sleep(60)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await entered.wait()
        assert fake.handler is not None
        if reset:
            fake.handler.stream_reset(5)
        task.cancel()
    assert task.cancelled()


async def test_other_errors_pass(fake: FakeStream) -> None:
    with pytest.raises(KeyError), until_reset(fake):
        raise KeyError


async def test_it_nests_with_a_timeout(fake: FakeStream) -> None:
    with pytest.raises(TimeoutError), until_reset(fake):
        async with asyncio.timeout(0.001):
            await asyncio.sleep(60)
    with pytest.raises(StreamResetError), until_reset(fake):
        assert fake.handler is not None
        asyncio.get_running_loop().call_soon(fake.handler.stream_reset, 5)
        async with asyncio.timeout(60):
            await asyncio.sleep(60)
