"""Links of libwebrtc, and between both engines, whose network or far end misbehaves."""

from __future__ import annotations

import asyncio
import socket
from random import Random

import pytest

from mayfly.config import EngineConfig
from mayfly.transport.aiortc.dtls import LinkDtls
from mayfly.transport.aiortc.link import AiortcLink
from mayfly.transport.aiortc.sctp import LinkSctp
from mayfly.transport.engines import make_engine
from support.evil import EVIL, evil_packet, garbage
from support.links import MIXED, End, linked, settings_of
from support.own_network import cut

pytestmark = [
    pytest.mark.needs("root", "ip", "nft", "wrtc"),
    pytest.mark.usefixtures("loopback_alone", "nothing_logged"),
]
each_pair = pytest.mark.parametrize(("offers", "answers"), MIXED)


@pytest.mark.slow
async def test_a_path_that_swallows_everything_is_given_up() -> None:
    """libwebrtc's own patience is 15 s, which nothing makes shorter; so all pairs lose their path at once."""
    pairs = [
        tuple(map(End, await linked(*pair))) for pair in (("wrtc", "wrtc"), ("aiortc", "wrtc"), ("wrtc", "aiortc"))
    ]
    ends = [end for pair in pairs for end in pair if not isinstance(end.link, AiortcLink)]
    assert len(ends) == 4
    with cut():
        await asyncio.gather(*(end.until(lost=1, within=30.0) for end in ends))
    assert [end.lost for end in ends] == [["the path to the other side is gone"]] * 4
    await asyncio.gather(*(end.link.close() for pair in pairs for end in pair))


@each_pair
async def test_closing_against_a_silent_far_end_does_not_hang(offers: str, answers: str) -> None:
    near, far = map(End, await linked(offers, answers, engine=EngineConfig(linger=0.2)))
    with cut():
        near.link.send(bytes(100_000))
        async with asyncio.timeout(2):
            await near.link.close()
    assert near.lost == []
    await far.link.close()


@each_pair
async def test_strangers_at_a_port_change_nothing(offers: str, answers: str) -> None:
    offer = await make_engine(offers).offer(settings_of(offers))
    answer = await make_engine(answers).answer(settings_of(answers), offer.description)
    ports = [
        (candidate.address, candidate.port)
        for candidate in (*offer.description.candidates, *answer.description.candidates)
        if str(candidate.address) == "127.0.0.1"
    ]
    assert len(ports) >= 2
    random = Random(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:

        async def flood() -> None:
            for _ in range(300):
                for address, port in ports:
                    stranger.sendto(garbage(random), (str(address), port))
                await asyncio.sleep(0)

        await flood()
        near, far = map(End, await asyncio.gather(offer.accept(answer.description), answer.connected()))
        await flood()
    near.link.send(b"still here")
    far.link.send(b"still here")
    await asyncio.gather(near.until(messages=1), far.until(messages=1))
    assert near.lost == far.lost == []
    await asyncio.gather(near.link.close(), far.link.close())


@pytest.mark.parametrize("name", EVIL)
async def test_a_far_end_that_breaks_sctp_harms_at_most_its_own_link(name: str) -> None:
    """libwebrtc forgives some of what our own association ends for; nothing of it may come out as a message."""
    near, far = map(End, await linked("wrtc", "aiortc"))
    assert isinstance(far.link, AiortcLink) and isinstance(far.link._dtls, LinkDtls)
    assert isinstance(far.link._sctp, LinkSctp)
    association = far.link._sctp._association
    tag = int.from_bytes(association._headers.outgoing.prefix[4:8], "big")
    packet = evil_packet(name, tag, association._sender.last_tsn + 1)
    far.link._dtls.send_packets([packet])
    far.link._dtls.send_packets([b"\x17" * 5, bytes(30), packet[:-1]])
    await far.link.close()
    await near.until(lost=1, within=5.0)
    assert len(near.lost) == 1 and near.messages == []
    near.link.send(b"into the void")
    await near.link.close()
