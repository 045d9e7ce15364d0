"""A far end, or a stranger, that sends anything it likes: at worst its own link ends, in words."""

from __future__ import annotations

import asyncio
import socket
from random import Random

import pytest

from mayfly.transport.aiortc.dtls import LinkDtls
from mayfly.transport.aiortc.engine import AiortcEngine
from mayfly.transport.aiortc.link import AiortcLink
from mayfly.transport.aiortc.sctp import LinkSctp
from support.evil import EVIL, evil_packet, garbage
from support.links import LOOPBACK, End, connect, no_leaks

pytestmark = pytest.mark.usefixtures("nothing_logged")

ENGINE = AiortcEngine()


async def test_strangers_at_the_port_change_nothing() -> None:
    async with no_leaks():
        near, far = map(End, await connect(ENGINE))
        assert isinstance(near.link, AiortcLink)
        port = near.link._connection.sockets[0].local_candidate.port
        random = Random(5)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(500):
                stranger.sendto(garbage(random), ("127.0.0.1", port))
                await asyncio.sleep(0)
        far.link.send(b"still here")
        await near.until(messages=1)
        assert near.lost == []
        await asyncio.gather(near.link.close(), far.link.close())


async def test_strangers_at_an_offer_change_nothing() -> None:
    async with no_leaks():
        offer = await ENGINE.offer(LOOPBACK)
        random = Random(6)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(500):
                stranger.sendto(garbage(random), ("127.0.0.1", offer.description.candidates[0].port))
                await asyncio.sleep(0)
        answer = await ENGINE.answer(LOOPBACK, offer.description)
        near, far = await asyncio.gather(offer.accept(answer.description), answer.connected())
        await asyncio.gather(near.close(), far.close())


async def test_garbage_from_the_far_ends_own_address_is_no_dtls() -> None:
    async with no_leaks():
        near, far = map(End, await connect(ENGINE))
        assert isinstance(near.link, AiortcLink) and isinstance(far.link, AiortcLink)
        address = near.link._connection.sockets[0].local_candidate
        random = Random(7)
        for _ in range(300):
            far.link._connection.sockets[0].transport.sendto(garbage(random), (address.host, address.port))
            await asyncio.sleep(0)
        far.link.send(b"still here")
        await near.until(messages=1)
        await asyncio.gather(near.link.close(), far.link.close())


@pytest.mark.parametrize("stock", [False, True], ids=["own", "stock"])
@pytest.mark.parametrize("name", EVIL)
async def test_a_far_end_that_breaks_sctp_loses_its_own_link(name: str, stock: bool) -> None:
    async with no_leaks():
        near, far = map(End, await connect(AiortcEngine(stock=stock)))
        assert isinstance(near.link, AiortcLink) and isinstance(far.link, AiortcLink)
        sctp = far.link._sctp
        if isinstance(sctp, LinkSctp):
            tag = int.from_bytes(sctp._association._headers.outgoing.prefix[4:8], "big")
            tsn = sctp._association._sender.last_tsn + 1
        else:
            tag, tsn = sctp._remote_verification_tag, sctp._local_tsn
        packet = evil_packet(name, tag, tsn)
        if isinstance(far.link._dtls, LinkDtls):
            far.link._dtls.send_packets([packet])
        else:
            await far.link._dtls._send_data(packet)
        await near.until(lost=1, within=2.0)
        assert len(near.lost) == 1 and near.messages == []
        near.link.send(b"into the void")
        await asyncio.gather(near.link.close(), far.link.close())
