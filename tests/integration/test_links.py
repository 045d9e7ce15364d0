"""What `base.Link` promises, of each engine and of pairs of two: two ends of a real link in one process, on loopback.

What only one engine can be asked is in `test_link_aiortc.py` and `test_link_wrtc.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from random import Random

import pytest

from mayfly.config import EngineConfig, LinkConfig
from mayfly.errors import ConnectError, UsageError
from mayfly.signaling import codes
from mayfly.signaling.description import CandidateType, Description
from mayfly.transport.base import DtlsRole, Link, TurnServer
from mayfly.transport.engines import make_engine
from support.links import PAIRS, End, connect, linked, no_leaks, settings_of
from support.own_network import own_network

pytestmark = pytest.mark.usefixtures("nothing_logged")

each_pair = pytest.mark.parametrize(("offers", "answers"), PAIRS)
each_engine = pytest.mark.parametrize(
    "engine", ["aiortc", pytest.param("wrtc", marks=pytest.mark.needs("root", "ip", "wrtc"))]
)


@pytest.fixture(autouse=True)
def network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where libwebrtc takes part, one with nothing but loopback, since it takes every address that there is."""
    native = "wrtc" in request.node.callspec.params.values()
    with own_network() if native else contextlib.nullcontext():
        yield


@each_pair
@pytest.mark.parametrize("role", list(DtlsRole))
@pytest.mark.parametrize("ordered", [False, True])
async def test_messages_both_ways(offers: str, answers: str, role: DtlsRole, ordered: bool) -> None:
    links = await connect(
        make_engine(offers),
        settings_of(offers, dtls_role=role, ordered=ordered),
        settings_of(answers, ordered=ordered),
        far_engine=make_engine(answers),
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
    assert path.remote_address is not None and path.remote_address.is_loopback
    assert str(path.remote_address) not in repr(path)
    assert path.round_trip is not None and 0 <= path.round_trip < 1
    await near.link.close()
    await far.until(lost=1, within=2.0)
    await far.link.close()
    assert near.lost == [] and len(far.lost) == 1


@pytest.mark.parametrize(
    ("offers", "answers"),
    [
        ("aiortc-stock", "aiortc-stock"),
        ("aiortc-stock", "aiortc"),
        ("aiortc", "aiortc-stock"),
        *(
            pytest.param(*pair, marks=pytest.mark.needs("root", "ip", "wrtc"))
            for pair in (("aiortc-stock", "wrtc"), ("wrtc", "aiortc-stock"))
        ),
    ],
)
async def test_aiortc_as_it_comes_is_no_stranger(offers: str, answers: str) -> None:
    near, far = map(End, await linked(offers, answers))
    near.link.send(bytes(100_000))
    far.link.send(bytes(200_000))
    await asyncio.gather(near.until(messages=1), far.until(messages=1))
    assert (len(near.messages[0]), len(far.messages[0])) == (200_000, 100_000)
    await asyncio.gather(near.link.close(), far.link.close())


@each_pair
@pytest.mark.parametrize("kind", [IPv4Address, IPv6Address], ids=["IPv4", "IPv6"])
async def test_a_way_of_one_address_family_is_enough(
    offers: str, answers: str, kind: type[IPv4Address | IPv6Address]
) -> None:
    def only(description: Description) -> Description:
        kept = tuple(c for c in description.candidates if isinstance(c.address, kind))
        assert kept
        return replace(description, candidates=kept)

    def both(engine: str) -> object:
        return (ip_address("127.0.0.1"), ip_address("::1")) if engine != "wrtc" else ()

    offer = await make_engine(offers).offer(settings_of(offers, bind=both(offers)))
    answer = await make_engine(answers).answer(settings_of(answers, bind=both(answers)), only(offer.description))
    near, far = await asyncio.gather(offer.accept(only(answer.description)), answer.connected())
    assert isinstance(near.path().remote_address, kind)
    await asyncio.gather(near.close(), far.close())


async def pump(link: Link, room: asyncio.Event, total: int, seed: int) -> str:
    """Send `total` seeded bytes within the budget; returns their digest, by message."""
    random, size, messages = Random(seed), 16_384, list[bytes]()
    for index in range(total // size):
        messages.append(index.to_bytes(4, "big") + random.randbytes(size - 4))
        while link.buffered_amount + size > link.high_water:
            room.clear()
            async with asyncio.timeout(20):
                await room.wait()
            # It was half of the mark when the link told of it; the mark may have moved since.
            assert link.buffered_amount <= LinkConfig().native_high_water // 2
        link.send(messages[-1])
        assert link.buffered_amount <= link.high_water <= LinkConfig().native_high_water
    return hashlib.sha256(b"".join(messages)).hexdigest()


@each_pair
@pytest.mark.parametrize("ordered", [False, True])
async def test_five_megabytes_each_way_within_the_budget(offers: str, answers: str, ordered: bool) -> None:
    near, far = map(End, await linked(offers, answers, ordered=ordered))
    total = 5_000_000 // 16_384 * 16_384
    sums = await asyncio.gather(pump(near.link, near.room, total, 1), pump(far.link, far.room, total, 2))
    await near.until(messages=total // 16_384)
    await far.until(messages=total // 16_384)
    received = [hashlib.sha256(b"".join(sorted(end.messages))).hexdigest() for end in (far, near)]
    assert received == list(sums)
    if ordered:
        assert far.messages == sorted(far.messages)
    await asyncio.gather(near.link.close(), far.link.close())


@each_pair
async def test_what_was_sent_before_close_arrives(offers: str, answers: str) -> None:
    near, far = map(End, await linked(offers, answers))
    for index in range(50):
        near.link.send(bytes([index]) * 16_000)
    await near.link.close()
    near.link.send(b"too late")
    await far.until(lost=1, within=4.0)
    assert sorted(message[0] for message in far.messages) == list(range(50))
    await far.link.close()


@each_pair
async def test_a_link_leaves_nothing_behind(offers: str, answers: str) -> None:
    near, far = await linked(offers, answers)  # what the process keeps for good is made by the first link
    await asyncio.gather(near.close(), far.close())
    async with no_leaks():
        near, far = await linked(offers, answers)
        await asyncio.gather(near.close(), far.close())
        await near.close()


@each_pair
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


@each_engine
async def test_oversized_messages_are_our_own_mistake(engine: str) -> None:
    near, far = await linked(engine, engine)
    with pytest.raises(ValueError, match="max_message"):
        near.send(bytes(EngineConfig().max_message + 1))
    await asyncio.gather(near.close(), far.close())


@each_engine
async def test_a_receiver_of_ours_that_fails_is_not_blamed_on_the_far_end(engine: str) -> None:
    near, far = await linked(engine, engine)
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


@each_pair
async def test_an_answer_that_nobody_takes_gives_up(offers: str, answers: str) -> None:
    offer = await make_engine(offers).offer(settings_of(offers))
    brief = settings_of(answers, config=LinkConfig(answer_lifetime=0.2, keepalive_interval=0.05))
    answer = await make_engine(answers).answer(brief, offer.description)
    with pytest.raises(ConnectError, match="nobody came"):
        await answer.connected()
    await answer.close()
    await offer.close()


@each_engine
async def test_an_offer_connects_one_answer(engine: str) -> None:
    offer = await make_engine(engine).offer(settings_of(engine))
    first, second = [await make_engine(engine).answer(settings_of(engine), offer.description) for _ in range(2)]
    links = await asyncio.gather(offer.accept(first.description), first.connected())
    with pytest.raises(ConnectError, match="answered already"):
        await offer.accept(second.description)
    await second.close()
    await asyncio.gather(*(link.close() for link in links))


@each_engine
async def test_an_answer_whose_maker_has_gone_finds_no_path(engine: str) -> None:
    brief = settings_of(engine, config=LinkConfig(connect_timeout=0.3))
    offer = await make_engine(engine).offer(brief)
    answer = await make_engine(engine).answer(brief, offer.description)
    await answer.close()
    with pytest.raises(ConnectError, match="no path") as caught:
        await offer.accept(answer.description)
    assert caught.value.stage == "connect" and caught.value.hint
    with pytest.raises(ConnectError, match="answered already"):
        await offer.accept(answer.description)
    with pytest.raises(ConnectError, match="given up"):
        await answer.connected()


@each_pair
@pytest.mark.parametrize("role", [DtlsRole.CLIENT, DtlsRole.SERVER])
@pytest.mark.parametrize("deceived", ["offerer", "answerer"])
async def test_a_wrong_fingerprint_is_refused(offers: str, answers: str, role: DtlsRole, deceived: str) -> None:
    brief = LinkConfig(connect_timeout=2.0)
    offer = await make_engine(offers).offer(settings_of(offers, config=brief, dtls_role=role))
    wrong = replace(offer.description, fingerprint=bytes(32)) if deceived == "answerer" else offer.description
    answer = await make_engine(answers).answer(settings_of(answers, config=brief), wrong)
    given = answer.description
    if deceived == "offerer":
        given = replace(given, fingerprint=bytes(32))
    async with asyncio.timeout(8):
        ends = await asyncio.gather(offer.accept(given), answer.connected(), return_exceptions=True)
    told, other = ends if deceived == "offerer" else reversed(ends)
    assert isinstance(told, ConnectError) and "in the middle" in told.message and told.stage == "handshake"
    assert isinstance(other, ConnectError) or await is_lost(other)
    await answer.close()


async def is_lost(link: object) -> bool:
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


@each_pair
async def test_both_descriptions_travel_as_codes(offers: str, answers: str) -> None:
    offer = await make_engine(offers).offer(settings_of(offers))
    code, offered = carried(offer.description)
    answer = await make_engine(answers).answer(settings_of(answers), offered)
    near, far = await asyncio.gather(offer.accept(carried(answer.description, code)[1]), answer.connected())
    await asyncio.gather(near.close(), far.close())


@each_pair
async def test_an_offerer_at_another_address_than_its_code_says_is_let_in(offers: str, answers: str) -> None:
    """As when its NAT has given it another mapping since."""
    offer = await make_engine(offers).offer(settings_of(offers))
    stale = tuple(replace(c, port=9) for c in offer.description.candidates)
    answer = await make_engine(answers).answer(settings_of(answers), replace(offer.description, candidates=stale))
    near, far = await asyncio.gather(offer.accept(answer.description), answer.connected())
    assert far.path().remote is None
    await asyncio.gather(near.close(), far.close())


@each_pair
async def test_an_answer_that_is_closed_after_it_connected_unseen_tells_the_offerer(offers: str, answers: str) -> None:
    offer = await make_engine(offers).offer(settings_of(offers))
    answer = await make_engine(answers).answer(settings_of(answers), offer.description)
    end = End(await offer.accept(answer.description))
    await answer.close()
    await end.until(lost=1, within=2.0)
    await end.link.close()


@each_pair
async def test_roles_that_cannot_fit_are_told_before_anything_is_opened(offers: str, answers: str) -> None:
    offer = await make_engine(offers).offer(settings_of(offers, dtls_role=DtlsRole.SERVER))
    async with no_leaks():
        with pytest.raises(ConnectError, match="same part in the encryption"):
            await make_engine(answers).answer(settings_of(answers, dtls_role=DtlsRole.SERVER), offer.description)
    await offer.close()


@each_engine
@pytest.mark.parametrize("url", ["", "stun:host", "turn:", "http://host", "turn:host?transport=carrier"])
async def test_what_is_no_turn_server(engine: str, url: str) -> None:
    with pytest.raises(UsageError):
        await make_engine(engine).offer(settings_of(engine, turn=(TurnServer(url, "u", "w"),)))
