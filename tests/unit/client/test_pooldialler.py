"""Where streams go when relays are missing or silent; whole clients are in test_brokered.py."""

from __future__ import annotations

import asyncio

import pytest

from mayfly.errors import LinkLostError
from mayfly.meetconfig import PoolConfig
from mayfly.wire.header import Header, Service
from mayfly_client.pool import Pool
from mayfly_client.pooldialler import PoolDialler


async def test_without_any_relay_a_request_waits_and_then_fails() -> None:
    dialler = PoolDialler(Pool(PoolConfig(no_relay=0.01)))
    with pytest.raises(LinkLostError, match="no relay"):
        await dialler.open_stream(Header(Service.UDP))
    with pytest.raises(LinkLostError, match="no relay"):
        await dialler.open_datagrams(lambda _payload: None)


async def test_a_request_that_is_given_up_leaves_nothing_waiting() -> None:
    dialler = PoolDialler(Pool(PoolConfig()))
    asking = asyncio.get_running_loop().create_task(dialler.open_stream(Header(Service.UDP)))
    await asyncio.sleep(0)
    assert dialler._waiting
    asking.cancel()
    await asyncio.wait([asking])
    assert not dialler._waiting  # what it holds shows nowhere else
