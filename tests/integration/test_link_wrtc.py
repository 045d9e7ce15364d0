"""What only a link of libwebrtc can be asked; what it shares with the aiortc engine is in `test_links.py`."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mayfly.config import EngineConfig
from mayfly.signaling.description import Setup
from mayfly.transport.aiortc.engine import AiortcEngine
from mayfly.transport.base import LinkSettings
from mayfly.transport.engines import make_engine
from support.links import LOOPBACK, End, linked, settings_of
from support.programs import poll

pytestmark = [pytest.mark.needs("root", "ip", "wrtc"), pytest.mark.usefixtures("loopback_alone", "nothing_logged")]


async def test_too_much_before_the_start_ends_the_link() -> None:
    near, far = await linked("wrtc", "wrtc", engine=EngineConfig(max_early=100_000))
    for _ in range(4):
        near.send(bytes(60_000))
    await near.close()  # what was sent has arrived then
    late = End(far)
    await late.until(lost=1)
    assert "more than is kept" in late.lost[0]
    await far.close()


async def test_a_message_larger_than_we_take_ends_the_link() -> None:
    near, far = map(End, await linked("wrtc", "wrtc"))
    far.link._limits = EngineConfig(max_message=1000)  # type: ignore[attr-defined]
    near.link.send(bytes(1001))
    await far.until(lost=1)
    assert far.lost == ["the other side sent a message that is too big"]
    await asyncio.gather(near.link.close(), far.link.close())


async def test_text_is_no_message_of_ours() -> None:
    near, far = map(End, await linked("wrtc", "wrtc"))
    near.link._channel.send("text")  # type: ignore[attr-defined]
    await far.until(lost=1)
    assert far.lost == ["the other side sent a message that is not binary"]
    await asyncio.gather(near.link.close(), far.link.close())


async def test_a_full_queue_ends_the_link_in_words() -> None:
    near, far = map(End, await linked("wrtc", "wrtc", engine=EngineConfig(linger=0.2)))
    for _ in range(200):  # far beyond the budget, which a session never does
        near.link.send(bytes(262_144))
    await near.until(lost=1)
    assert near.lost == ["the link can no longer send"]
    await asyncio.gather(near.link.close(), far.link.close())


@pytest.mark.parametrize(
    ("offers", "answers", "offered", "answered"),
    [
        ("wrtc", "wrtc", Setup.ACTIVE, Setup.PASSIVE),
        ("wrtc", "aiortc", Setup.ACTIVE, Setup.PASSIVE),
        ("aiortc", "wrtc", Setup.ACTPASS, Setup.ACTIVE),
    ],
)
async def test_libwebrtc_sends_the_client_hello_wherever_one_end_has_it(
    offers: str, answers: str, offered: Setup, answered: Setup
) -> None:
    offer = await make_engine(offers).offer(settings_of(offers))
    answer = await make_engine(answers).answer(settings_of(answers), offer.description)
    assert (offer.description.setup, answer.description.setup) == (offered, answered)
    await answer.close()
    await offer.close()


async def test_a_browser_that_offers_may_send_the_client_hello() -> None:
    offer = await make_engine("wrtc").offer(settings_of("wrtc"))
    open_offer = replace(offer.description, setup=Setup.ACTPASS)
    answer = await make_engine("wrtc").answer(settings_of("wrtc"), open_offer)
    assert answer.description.setup is Setup.PASSIVE
    near, far = await asyncio.gather(offer.accept(answer.description), answer.connected())
    await asyncio.gather(near.close(), far.close())


async def test_no_handshake_begins_before_the_offerer_has_the_answer() -> None:
    """The ClientHello would be repeated ever more seldom, and given up, while a person still carries the answer."""
    offer = await AiortcEngine().offer(LOOPBACK)
    answer = await make_engine("wrtc").answer(LinkSettings(), offer.description)
    checks = offer._assembly._connection._early_checks
    await poll(lambda: len(checks) > 4, "checks of the answerer")
    assert answer._connection._dtls_state() == "new"  # type: ignore[attr-defined]
    near, far = await asyncio.gather(offer.accept(answer.description), answer.connected())
    await asyncio.gather(near.close(), far.close())
