"""Two ends of a real link in one process, where at least one of them is libwebrtc: what the aiortc engine passes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest

from mayfly.config import EngineConfig, LinkConfig
from mayfly.errors import ConnectError
from mayfly.signaling import codes
from mayfly.signaling.description import CandidateType, Description, Setup
from mayfly.transport.aiortc.engine import AiortcEngine
from mayfly.transport.base import DtlsRole, Link, LinkSettings
from mayfly.transport.engines import make_engine
from support.links import LOOPBACK, End, connect, no_leaks
from support.own_network import own_network
from support.programs import poll

pytestmark = pytest.mark.needs("root", "ip", "wrtc")

PAIRS = [("wrtc", "wrtc"), ("aiortc", "wrtc"), ("wrtc", "aiortc")]
both_ways = pytest.mark.parametrize(("offers", "answers"), PAIRS)


@pytest.fixture(autouse=True)
def loopback_alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """A network with nothing but loopback, since libwebrtc takes every address that there is."""
    del request
    with own_network():
        yield


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No traceback, and no task whose exception nobody read."""
    yield
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def settings(name: str, /, **changes: object) -> LinkSettings:
    """Loopback: aiortc is told so, libwebrtc finds nothing else."""
    return replace(LinkSettings() if name == "wrtc" else LOOPBACK, **changes)  # type: ignore[arg-type]


async def linked(offers: str, answers: str, **changes: object) -> tuple[Link, Link]:
    """Two open links, the offerer's first."""
    return await connect(
        make_engine(offers), settings(offers, **changes), settings(answers, **changes), far_engine=make_engine(answers)
    )


@both_ways
@pytest.mark.parametrize("role", list(DtlsRole))
@pytest.mark.parametrize("ordered", [False, True])
async def test_messages_both_ways(offers: str, answers: str, role: DtlsRole, ordered: bool) -> None:
    near_settings = settings(offers, dtls_role=role, ordered=ordered)
    links = await connect(
        make_engine(offers), near_settings, settings(answers, ordered=ordered), far_engine=make_engine(answers)
    )
    near, far = map(End, links)
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
    assert path.round_trip is not None and 0 <= path.round_trip < 1
    await near.link.close()
    await far.until(lost=1, within=2.0)
    await far.link.close()
    assert near.lost == [] and len(far.lost) == 1


async def pump(link: Link, room: asyncio.Event, total: int, seed: int) -> str:
    """Send `total` seeded bytes within the budget; returns their digest, by message."""
    random, size, messages = Random(seed), 16_384, list[bytes]()
    for index in range(total // size):
        messages.append(index.to_bytes(4, "big") + random.randbytes(size - 4))
        while link.buffered_amount + size > link.high_water:
            room.clear()
            async with asyncio.timeout(20):
                await room.wait()
            assert link.buffered_amount <= link.high_water // 2
        link.send(messages[-1])
        assert link.buffered_amount <= link.high_water
    return hashlib.sha256(b"".join(messages)).hexdigest()


@both_ways
async def test_eight_megabytes_each_way_within_the_budget(offers: str, answers: str) -> None:
    near, far = map(End, await linked(offers, answers))
    total = 8_000_000 // 16_384 * 16_384
    sums = await asyncio.gather(pump(near.link, near.room, total, 1), pump(far.link, far.room, total, 2))
    await near.until(messages=total // 16_384)
    await far.until(messages=total // 16_384)
    received = [hashlib.sha256(b"".join(sorted(end.messages))).hexdigest() for end in (far, near)]
    assert received == list(sums)
    await asyncio.gather(near.link.close(), far.link.close())


@both_ways
async def test_what_was_sent_before_close_arrives(offers: str, answers: str) -> None:
    near, far = map(End, await linked(offers, answers))
    for index in range(50):
        near.link.send(bytes([index]) * 16_000)
    await near.link.close()
    near.link.send(b"too late")
    await far.until(lost=1, within=4.0)
    assert sorted(message[0] for message in far.messages) == list(range(50))
    await far.link.close()


@both_ways
async def test_a_link_leaves_nothing_behind(offers: str, answers: str) -> None:
    near, far = await linked(offers, answers)  # what the process keeps for good is made by the first link
    await asyncio.gather(near.close(), far.close())
    async with no_leaks():
        near, far = await linked(offers, answers)
        await asyncio.gather(near.close(), far.close())
        await near.close()


@both_ways
async def test_messages_before_the_start_are_kept(offers: str, answers: str) -> None:
    near, far = await linked(offers, answers)
    end = End(near)
    for index in range(10):
        near.send(bytes([index]))
    far.send(b"answer")
    await end.until(messages=1)
    late = End(far)
    await late.until(messages=10)
    assert sorted(late.messages) == [bytes([index]) for index in range(10)]
    await asyncio.gather(near.close(), far.close())


@pytest.mark.parametrize(("offers", "answers"), [("aiortc-stock", "wrtc"), ("wrtc", "aiortc-stock")])
async def test_aiortc_as_it_comes_is_no_stranger(offers: str, answers: str) -> None:
    near, far = map(End, await linked(offers, answers))
    near.link.send(bytes(100_000))
    far.link.send(bytes(200_000))
    await asyncio.gather(near.until(messages=1), far.until(messages=1))
    assert (len(near.messages[0]), len(far.messages[0])) == (200_000, 100_000)
    await asyncio.gather(near.link.close(), far.link.close())


async def test_too_much_before_the_start_ends_the_link() -> None:
    near, far = await linked("wrtc", "wrtc", engine=EngineConfig(max_early=100_000))
    for _ in range(4):
        near.send(bytes(60_000))
    await near.close()  # what was sent has arrived then
    late = End(far)
    await late.until(lost=1)
    assert "more than is kept" in late.lost[0]
    await far.close()


async def test_oversized_messages_are_our_own_mistake() -> None:
    near, far = await linked("wrtc", "wrtc")
    with pytest.raises(ValueError, match="max_message"):
        near.send(bytes(near.max_message + 1))
    await asyncio.gather(near.close(), far.close())


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
    near, far = map(End, await linked("wrtc", "wrtc"))
    for _ in range(200):  # far beyond the budget, which a session never does
        near.link.send(bytes(262_144))
    await near.until(lost=1)
    assert near.lost == ["the link can no longer send"]
    await asyncio.gather(near.link.close(), far.link.close())


async def test_a_receiver_of_ours_that_fails_is_not_blamed_on_the_far_end() -> None:
    near, far = await linked("wrtc", "wrtc")
    lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context["exception"]))

    def fail(_message: bytes) -> None:
        raise ZeroDivisionError

    near.start(fail, lambda: None, lost.set_result)
    far.send(b"x")
    async with asyncio.timeout(5):
        assert "this program" in await lost
    assert [type(error) for error in reported] == [ZeroDivisionError]
    await asyncio.gather(near.close(), far.close())


@pytest.mark.parametrize("engine", ["wrtc", "aiortc"])
async def test_an_answer_that_nobody_takes_gives_up(engine: str) -> None:
    offer = await make_engine(engine).offer(settings(engine))
    chosen = settings("wrtc", config=LinkConfig(answer_lifetime=0.2, keepalive_interval=0.05))
    answer = await make_engine("wrtc").answer(chosen, offer.description)
    with pytest.raises(ConnectError, match="nobody came"):
        await answer.connected()
    await answer.close()
    await offer.close()


async def test_an_answer_whose_maker_has_gone_finds_no_path() -> None:
    chosen = settings("wrtc", config=LinkConfig(connect_timeout=0.3))
    offer = await make_engine("wrtc").offer(chosen)
    answer = await make_engine("wrtc").answer(chosen, offer.description)
    await answer.close()
    with pytest.raises(ConnectError, match="no path") as caught:
        await offer.accept(answer.description)
    assert caught.value.stage == "connect" and caught.value.hint
    with pytest.raises(ConnectError, match="spent"):
        await offer.accept(answer.description)
    with pytest.raises(ConnectError, match="given up"):
        await answer.connected()


@both_ways
@pytest.mark.parametrize("role", [DtlsRole.CLIENT, DtlsRole.SERVER])
@pytest.mark.parametrize("deceived", ["offerer", "answerer"])
async def test_a_wrong_fingerprint_is_refused(offers: str, answers: str, role: DtlsRole, deceived: str) -> None:
    brief = LinkConfig(connect_timeout=2.0)
    offer = await make_engine(offers).offer(settings(offers, config=brief, dtls_role=role))
    wrong = replace(offer.description, fingerprint=bytes(32)) if deceived == "answerer" else offer.description
    answer = await make_engine(answers).answer(settings(answers, config=brief), wrong)
    given = answer.description
    if deceived == "offerer":
        given = replace(given, fingerprint=bytes(32))
    async with asyncio.timeout(8):
        ends = await asyncio.gather(offer.accept(given), answer.connected(), return_exceptions=True)
    told, other = ends if deceived == "offerer" else reversed(ends)
    assert isinstance(told, ConnectError) and "in the middle" in told.message and told.stage == "handshake"
    assert isinstance(other, ConnectError) or await _lost(other)
    await answer.close()


async def _lost(link: object) -> bool:
    """Whether a link, which the other end refused after the handshake was through for this one, is told so."""
    end = End(link)  # type: ignore[arg-type]
    await end.until(lost=1, within=5.0)
    await end.link.close()
    return True


def carried(description: Description, offer: codes.Code | None = None) -> tuple[codes.Code, Description]:
    """A description after it travelled as a code."""
    code = codes.Code(description, 2_000_000_000, offer.digest if offer else b"")
    read = codes.parse(code.text, wanted=description.kind, now=1_900_000_000.0, offers=[offer] if offer else [])
    return code, read.description


@both_ways
async def test_both_descriptions_travel_as_codes(offers: str, answers: str) -> None:
    offer = await make_engine(offers).offer(settings(offers))
    code, offered = carried(offer.description)
    answer = await make_engine(answers).answer(settings(answers), offered)
    near, far = await asyncio.gather(offer.accept(carried(answer.description, code)[1]), answer.connected())
    await asyncio.gather(near.close(), far.close())


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
    offer = await make_engine(offers).offer(settings(offers))
    answer = await make_engine(answers).answer(settings(answers), offer.description)
    assert (offer.description.setup, answer.description.setup) == (offered, answered)
    await answer.close()
    await offer.close()


async def test_a_browser_that_offers_may_send_the_client_hello() -> None:
    offer = await make_engine("wrtc").offer(settings("wrtc"))
    open_offer = replace(offer.description, setup=Setup.ACTPASS)
    answer = await make_engine("wrtc").answer(settings("wrtc"), open_offer)
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


@both_ways
async def test_an_offerer_at_another_address_than_its_code_says_is_let_in(offers: str, answers: str) -> None:
    offer = await make_engine(offers).offer(settings(offers))
    stale = tuple(replace(c, port=9) for c in offer.description.candidates)
    answer = await make_engine(answers).answer(settings(answers), replace(offer.description, candidates=stale))
    near, far = await asyncio.gather(offer.accept(answer.description), answer.connected())
    await asyncio.gather(near.close(), far.close())


@both_ways
async def test_an_answer_that_is_closed_after_it_connected_unseen_tells_the_offerer(offers: str, answers: str) -> None:
    offer = await make_engine(offers).offer(settings(offers))
    answer = await make_engine(answers).answer(settings(answers), offer.description)
    end = End(await offer.accept(answer.description))
    await answer.close()
    await end.until(lost=1, within=2.0)
    await end.link.close()


async def test_roles_that_cannot_fit_are_told() -> None:
    chosen = settings("wrtc", dtls_role=DtlsRole.SERVER)
    offer = await make_engine("wrtc").offer(chosen)
    with pytest.raises(ConnectError, match="DTLS role"):
        await make_engine("wrtc").answer(chosen, offer.description)
    await offer.close()
