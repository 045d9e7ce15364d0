"""Two ends of a real link in one process, on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from random import Random

import pytest
from aioice import stun as ice_stun

from mayfly.config import EngineConfig, LinkConfig
from mayfly.errors import ConnectError, GatheringError, UsageError
from mayfly.signaling.description import CandidateType
from mayfly.transport.aiortc.engine import AiortcEngine
from mayfly.transport.aiortc.link import AiortcLink
from mayfly.transport.base import DtlsRole, IpPolicy, Link, LinkSettings, TurnServer
from support.links import LOOPBACK, End, connect, no_leaks

ENGINE = AiortcEngine()


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No traceback, and no task whose exception nobody read: those are logged by asyncio and aiortc as errors."""
    yield
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("role", list(DtlsRole))
@pytest.mark.parametrize("ordered", [False, True])
async def test_messages_both_ways(address: str, role: DtlsRole, ordered: bool) -> None:
    async with no_leaks():
        settings = LinkSettings(bind=(ip_address(address),), dtls_role=role, ordered=ordered)
        near, far = map(End, await connect(ENGINE, settings, replace(settings, dtls_role=DtlsRole.AUTO)))
        sent = [b"", b"x", bytes(1200), bytes(70_000), bytes(262_144)]
        for message in sent:
            near.link.send(message)
            far.link.send(message)
        await near.until(messages=len(sent))
        await far.until(messages=len(sent))
        assert sorted(near.messages, key=len) == sorted(far.messages, key=len) == sent
        assert (near.link.offerer, far.link.offerer) == (True, False)
        path = near.link.path()
        assert (path.local, path.remote) == (CandidateType.HOST, CandidateType.HOST)
        assert path.bytes_sent == path.bytes_received == sum(map(len, sent))
        assert path.remote_address is not None and path.remote_address.is_loopback
        assert str(path.remote_address) not in repr(path)
        assert path.round_trip is not None and 0 <= path.round_trip < 1
        await near.link.close()
        await far.until(lost=1, within=1.0)
        await far.link.close()
        assert near.lost == [] and len(far.lost) == 1


async def pump(link: Link, room: asyncio.Event, total: int, seed: int) -> str:
    """Send `total` seeded bytes within the budget; returns their digest, by message."""
    random, size, digests = Random(seed), 16_384, list[bytes]()
    most = 0
    for index in range(total // size):
        message = index.to_bytes(4, "big") + random.randbytes(size - 4)
        digests.append(message)
        while link.buffered_amount + size > link.high_water:
            room.clear()
            async with asyncio.timeout(20):
                await room.wait()
            assert link.buffered_amount <= LinkConfig().high_water // 2
        link.send(message)
        most = max(most, link.buffered_amount)
    assert size < most <= LinkConfig().high_water
    return hashlib.sha256(b"".join(digests)).hexdigest()


@pytest.mark.parametrize("ordered", [False, True])
async def test_twenty_megabytes_each_way_within_the_budget(ordered: bool) -> None:
    async with no_leaks():
        near, far = map(End, await connect(ENGINE, replace(LOOPBACK, ordered=ordered)))
        total = 20_000_000 // 16_384 * 16_384
        sums = await asyncio.gather(pump(near.link, near.room, total, 1), pump(far.link, far.room, total, 2))
        await near.until(messages=total // 16_384)
        await far.until(messages=total // 16_384)
        received = [hashlib.sha256(b"".join(sorted(end.messages))).hexdigest() for end in (far, near)]
        assert received == list(sums)
        if ordered:
            assert far.messages == sorted(far.messages)
        await asyncio.gather(near.link.close(), far.link.close())


async def test_what_was_sent_before_close_arrives() -> None:
    near, far = map(End, await connect(ENGINE))
    for index in range(50):
        near.link.send(bytes([index]) * 16_000)
    await near.link.close()
    near.link.send(b"too late")
    await far.until(lost=1, within=4.0)
    assert sorted(message[0] for message in far.messages) == list(range(50))
    await far.link.close()


async def test_closing_against_a_silent_far_end_does_not_hang() -> None:
    async with no_leaks():
        near, far = map(End, await connect(ENGINE, replace(LOOPBACK, engine=EngineConfig(linger=0.2))))
        assert isinstance(far.link, AiortcLink)
        for protocol in far.link._connection.sockets:
            protocol.datagram_received = lambda data, addr: None  # type: ignore[method-assign]
        near.link.send(bytes(100_000))
        async with asyncio.timeout(2):
            await near.link.close()
        await far.link.close()


async def test_lost_consent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.02)
    monkeypatch.setattr("aioice.stun.RETRY_RTO", 0.02)
    async with no_leaks():
        near, far = map(End, await connect(ENGINE))
        assert isinstance(far.link, AiortcLink)
        for protocol in far.link._connection.sockets:
            protocol.datagram_received = lambda data, addr: None  # type: ignore[method-assign]
        await near.until(lost=1, within=10.0)
        assert near.lost == ["the path to the other side is gone"]
        await near.link.close()
        await far.link.close()


async def test_oversized_messages_are_our_own_mistake() -> None:
    near, far = await connect(ENGINE)
    with pytest.raises(ValueError, match="max_message"):
        near.send(bytes(near.max_message + 1))
    await asyncio.gather(near.close(), far.close())


async def test_messages_before_the_start_are_kept() -> None:
    near, far = await connect(ENGINE)
    end = End(near)
    for index in range(10):
        near.send(bytes([index]))
    far.send(b"answer")
    await end.until(messages=1)
    late = End(far)
    await late.until(messages=10)
    assert sorted(late.messages) == [bytes([index]) for index in range(10)]
    await asyncio.gather(near.close(), far.close())


async def test_an_answer_that_nobody_takes_gives_up() -> None:
    async with no_leaks():
        settings = replace(LOOPBACK, config=LinkConfig(answer_lifetime=0.2))
        offer = await ENGINE.offer(settings)
        answer = await ENGINE.answer(settings, offer.description)
        with pytest.raises(ConnectError, match="nobody came"):
            await answer.connected()
        await answer.close()
        await offer.close()


async def test_an_answer_whose_maker_has_gone_finds_no_path() -> None:
    async with no_leaks():
        settings = replace(LOOPBACK, config=LinkConfig(connect_timeout=0.3))
        offer = await ENGINE.offer(settings)
        answer = await ENGINE.answer(settings, offer.description)
        await answer.close()
        with pytest.raises(ConnectError, match="no path") as caught:
            await offer.accept(answer.description)
        assert caught.value.stage == "connect" and caught.value.hint
        with pytest.raises(ConnectError, match="spent"):
            await offer.accept(answer.description)
        with pytest.raises(ConnectError, match="given up"):
            await answer.connected()


@pytest.mark.parametrize("role", [DtlsRole.CLIENT, DtlsRole.SERVER])
@pytest.mark.parametrize("deceived", ["offerer", "answerer"])
async def test_a_wrong_fingerprint_is_called_by_its_name(role: DtlsRole, deceived: str) -> None:
    async with no_leaks():
        settings = replace(LOOPBACK, config=LinkConfig(connect_timeout=5.0), dtls_role=role)
        offer = await ENGINE.offer(settings)
        wrong = replace(offer.description, fingerprint=bytes(32))
        answer = await ENGINE.answer(
            replace(settings, dtls_role=DtlsRole.AUTO), wrong if deceived == "answerer" else offer.description
        )
        given = answer.description
        if deceived == "offerer":
            given = replace(given, fingerprint=bytes(32))
        async with asyncio.timeout(3):
            ends = await asyncio.gather(offer.accept(given), answer.connected(), return_exceptions=True)
        errors = [end for end in ends if isinstance(end, ConnectError)]
        assert len(errors) == 2
        told, other = errors if deceived == "offerer" else reversed(errors)
        assert "in the middle" in told.message and told.stage == "handshake"
        assert other.message != told.message
        await answer.close()


async def test_the_offerer_may_begin_long_after_the_answerers_first_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice_stun, "RETRY_MAX", 0)
    monkeypatch.setattr(ice_stun, "RETRY_RTO", 0.02)
    async with no_leaks():
        offer = await ENGINE.offer(LOOPBACK)
        sockets = offer._assembly._connection.sockets
        heard, deaf = sockets[0].datagram_received, list[bytes]()
        sockets[0].datagram_received = lambda data, addr: deaf.append(bytes(data))  # type: ignore[arg-type,method-assign]
        answer = await ENGINE.answer(LOOPBACK, offer.description)
        checks = answer._assembly._connection._check_list
        async with asyncio.timeout(5):
            while not checks or any(pair.state is not pair.State.FAILED for pair in checks):
                await asyncio.sleep(0.01)
        assert deaf
        monkeypatch.setattr(ice_stun, "RETRY_MAX", 6)
        sockets[0].datagram_received = heard  # type: ignore[method-assign]
        near, far = await asyncio.gather(offer.accept(answer.description), answer.connected())
        await asyncio.gather(near.close(), far.close())


async def test_an_offerer_at_another_address_than_its_code_says_is_let_in() -> None:
    offer = await ENGINE.offer(LOOPBACK)
    stale = tuple(replace(c, port=9) for c in offer.description.candidates)
    answer = await ENGINE.answer(LOOPBACK, replace(offer.description, candidates=stale))
    near, far = await asyncio.gather(offer.accept(answer.description), answer.connected())
    assert far.path().remote is None
    await asyncio.gather(near.close(), far.close())


async def test_both_ends_with_two_addresses_each() -> None:
    both = LinkSettings(bind=(ip_address("127.0.0.1"), ip_address("::1"), ip_address("127.0.0.2")))
    async with no_leaks():
        near, far = await connect(ENGINE, both)
        await asyncio.gather(near.close(), far.close())


async def test_an_answer_that_is_closed_after_it_connected_unseen_tells_the_offerer() -> None:
    async with no_leaks():
        offer = await ENGINE.offer(LOOPBACK)
        answer = await ENGINE.answer(LOOPBACK, offer.description)
        end = End(await offer.accept(answer.description))
        await answer.close()
        await end.until(lost=1, within=1.0)
        await end.link.close()


@pytest.mark.parametrize("policy", [IpPolicy.PUBLIC_ONLY, IpPolicy.TURN_ONLY])
async def test_no_address_to_offer(policy: IpPolicy) -> None:
    async with no_leaks():
        with pytest.raises(GatheringError) as caught:
            await ENGINE.offer(replace(LOOPBACK, ip_policy=policy))
        assert "--" in caught.value.hint


async def test_a_turn_server_that_is_gone_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mayfly.transport.aiortc.gather._TURN_TIMEOUT", 0.2)
    turn = (TurnServer("turn:127.0.0.1:9", "user", "word"), TurnServer("turn:127.0.0.1:9?transport=tcp", "u", "w"))
    async with no_leaks():
        with pytest.raises(GatheringError, match="no address"):
            await ENGINE.offer(replace(LOOPBACK, turn=turn, ip_policy=IpPolicy.TURN_ONLY))
        offer = await ENGINE.offer(replace(LOOPBACK, turn=turn))
        assert [candidate.type for candidate in offer.description.candidates] == [CandidateType.HOST]
        await offer.close()


@pytest.mark.parametrize("url", ["", "stun:host", "turn:", "http://host", "turn:host?transport=carrier"])
async def test_what_is_no_turn_server(url: str) -> None:
    with pytest.raises(UsageError):
        await ENGINE.offer(replace(LOOPBACK, turn=(TurnServer(url, "u", "w"),)))


async def test_an_address_of_somebody_else_cannot_be_bound() -> None:
    async with no_leaks():
        with pytest.raises(GatheringError, match="--bind"):
            await ENGINE.offer(LinkSettings(bind=(ip_address("192.0.2.1"),)))


async def test_roles_that_cannot_fit_are_told_before_anything_is_opened() -> None:
    async with no_leaks():
        settings = replace(LOOPBACK, dtls_role=DtlsRole.SERVER)
        offer = await ENGINE.offer(settings)
        with pytest.raises(ConnectError, match="DTLS role"):
            await ENGINE.answer(settings, offer.description)
        await offer.close()
