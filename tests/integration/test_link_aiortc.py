"""Two ends of a real link in one process, on loopback."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address

import pytest
from aioice import stun as ice_stun

from mayfly.config import EngineConfig, LinkConfig
from mayfly.errors import ConnectError, GatheringError
from mayfly.signaling.description import CandidateType
from mayfly.transport.aiortc.engine import AiortcEngine
from mayfly.transport.aiortc.link import AiortcLink
from mayfly.transport.base import DtlsRole, IpPolicy, LinkSettings, TurnServer
from support.links import LOOPBACK, End, connect, no_leaks

pytestmark = pytest.mark.usefixtures("nothing_logged")

ENGINE = AiortcEngine()


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


async def test_both_ends_with_two_addresses_each() -> None:
    both = LinkSettings(bind=(ip_address("127.0.0.1"), ip_address("::1"), ip_address("127.0.0.2")))
    async with no_leaks():
        near, far = await connect(ENGINE, both)
        await asyncio.gather(near.close(), far.close())


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


async def test_an_address_of_somebody_else_cannot_be_bound() -> None:
    async with no_leaks():
        with pytest.raises(GatheringError, match="--bind"):
            await ENGINE.offer(LinkSettings(bind=(ip_address("192.0.2.1"),)))
