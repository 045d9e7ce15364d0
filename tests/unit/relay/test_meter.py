"""What a client uses is booked once, and it goes when its time is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

import mayfly_relay.meter
from mayfly_relay.limits import ByteQuota
from mayfly_relay.meter import Meter, Over


@dataclass
class Streams:
    bytes_sent: int = 0
    bytes_received: int = 0
    last_active: float = 0.0


@dataclass
class Datagrams:
    datagram_bytes: int = 0
    datagram_at: float | None = None


def test_bytes_of_all_kinds_are_booked_once() -> None:
    streams, datagrams, quota = Streams(), Datagrams(), ByteQuota(None)
    meter = Meter(streams, datagrams, quota, idle_timeout=10)
    streams.bytes_sent, streams.bytes_received, datagrams.datagram_bytes = 1, 20, 300
    meter.look(0.0)
    meter.look(0.0)
    assert quota.spent == 321
    streams.bytes_sent += 1000
    meter.look(0.0)
    assert quota.spent == 1321


def test_clients_share_the_quota() -> None:
    quota = ByteQuota(100)
    first, second = Streams(bytes_sent=60), Streams(bytes_received=60)
    assert Meter(first, Datagrams(), quota, 10).look(0.0) is None
    assert Meter(second, Datagrams(), quota, 10).look(0.0) is Over.QUOTA


def test_idle_means_neither_streams_nor_datagrams() -> None:
    streams, datagrams = Streams(last_active=100.0), Datagrams()
    meter = Meter(streams, datagrams, ByteQuota(None), idle_timeout=10)
    assert meter.look(109.9) is None
    assert meter.look(110.0) is Over.IDLE
    datagrams.datagram_at = 105.0
    assert meter.look(114.9) is None
    assert meter.look(115.0) is Over.IDLE


async def test_watch_returns_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mayfly_relay.meter, "INTERVAL", 0.001)
    loop = asyncio.get_running_loop()
    streams = Streams(last_active=loop.time())
    meter = Meter(streams, Datagrams(), ByteQuota(10), idle_timeout=1000)
    loop.call_later(0.01, setattr, streams, "bytes_sent", 10)
    assert await asyncio.wait_for(meter.watch(), 10) is Over.QUOTA
