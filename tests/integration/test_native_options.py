"""The native engine and a user's options: servers that are gone, options that it lacks, and what `auto` then takes."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from mayfly.config import LinkConfig
from mayfly.errors import GatheringError, UsageError
from mayfly.signaling.description import CandidateType, Kind
from mayfly.transport.base import Engine, IpPolicy, LinkSettings, TurnServer
from mayfly.transport.engines import make_engine
from support.links import LOOPBACK
from support.stun import stun_server

pytestmark = [pytest.mark.needs("root", "ip", "wrtc"), pytest.mark.usefixtures("loopback_alone")]


@pytest.mark.parametrize("policy", [IpPolicy.PUBLIC_ONLY, IpPolicy.TURN_ONLY])
async def test_no_address_to_offer(policy: IpPolicy) -> None:
    with pytest.raises(GatheringError) as caught:
        await make_engine("wrtc").offer(LinkSettings(ip_policy=policy))
    assert "--" in caught.value.hint


async def test_servers_that_are_gone_are_left_out() -> None:
    gone = LinkSettings(
        stun=("127.0.0.1:9", "[::1]:9"),
        turn=(TurnServer("turn:127.0.0.1:9", "user", "word"), TurnServer("turn:127.0.0.1:9?transport=tcp", "u", "w")),
        config=LinkConfig(stun_timeout=0.3),
    )
    offer = await make_engine("wrtc").offer(gone)
    assert {candidate.type for candidate in offer.description.candidates} == {CandidateType.HOST}
    assert offer.symmetric_nat is None
    await offer.close()
    with pytest.raises(GatheringError, match="no address"):
        await make_engine("wrtc").offer(replace(gone, ip_policy=IpPolicy.TURN_ONLY))


async def test_what_a_stun_server_sees_is_told_and_no_stun_asks_none() -> None:
    async with stun_server(lambda source: ("198.51.100.7", source[1])) as server:
        offer = await make_engine("wrtc").offer(LinkSettings(stun=(server.url,)))
        mapped = [c for c in offer.description.candidates if c.type is CandidateType.SERVER_REFLEXIVE]
        assert {str(candidate.address) for candidate in mapped} == {"198.51.100.7"}
        assert offer.symmetric_nat is None
        await offer.close()
        public = await make_engine("wrtc").offer(LinkSettings(stun=(server.url,), ip_policy=IpPolicy.PUBLIC_ONLY))
        assert {c.type for c in public.description.candidates} == {CandidateType.SERVER_REFLEXIVE}
        await public.close()
        asked = len(server.asked)
        silent = await make_engine("wrtc").offer(LinkSettings(stun=(server.url,), ip_policy=IpPolicy.NO_STUN))
        assert {c.type for c in silent.description.candidates} == {CandidateType.HOST}
        await silent.close()
        assert asked and len(server.asked) == asked


async def test_a_nat_that_maps_by_destination_is_noticed() -> None:
    async with (
        stun_server(lambda source: ("198.51.100.7", 4000)) as one,
        stun_server(lambda source: ("198.51.100.7", 4001)) as other,
    ):
        offer = await make_engine("wrtc").offer(LinkSettings(stun=(one.url, other.url)))
        assert offer.symmetric_nat is True
        await offer.close()


@pytest.mark.parametrize("chosen", [LOOPBACK, LinkSettings(ip_policy=IpPolicy.LAN)], ids=["--bind", "--ip-policy lan"])
async def test_an_option_that_it_lacks_is_refused_and_auto_takes_the_other_engine(chosen: LinkSettings) -> None:
    native, auto = make_engine("wrtc"), make_engine("auto")
    with pytest.raises(UsageError, match="the engine wrtc has no --") as caught:
        await native.offer(chosen)
    assert "--engine aiortc" in caught.value.hint
    if chosen.bind:
        offer = await auto.offer(chosen)
        assert type(offer).__name__ == "AiortcPendingOffer"
        await offer.close()
    else:
        with pytest.raises(GatheringError):
            await auto.offer(chosen)


async def test_auto_takes_libwebrtc_where_it_can() -> None:
    auto: Engine = make_engine("auto")
    offer = await auto.offer(LinkSettings())
    assert type(offer).__name__ == "WrtcPendingOffer"
    assert {ip_address(str(c.address)).is_loopback for c in offer.description.candidates} == {True}
    assert offer.description.kind is Kind.OFFER
    await offer.close()
