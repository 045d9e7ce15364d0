"""STUN: several servers at once, what is learnt from them, and mappings that move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.config import EngineConfig, LinkConfig
from mayfly.errors import UsageError
from mayfly.signaling.description import CandidateType
from mayfly.transport.aiortc.engine import AiortcEngine
from mayfly.transport.aiortc.gather import gather
from mayfly.transport.aiortc.ice import LinkConnection
from mayfly.transport.aiortc.stun import StunMappings, parse_server
from mayfly.transport.aiortc.stun import StunServer as Server
from mayfly.transport.base import IpPolicy, LinkSettings
from support.stun import StunServer, stun_server

SETTINGS = LinkSettings(bind=(ip_address("127.0.0.1"),))
MAPPED = ("198.51.100.7", 4000)


@pytest.fixture
async def connection() -> AsyncIterator[LinkConnection]:
    made = LinkConnection(controlling=True, policy=IpPolicy.ALL, config=LinkConfig(), limits=EngineConfig())
    yield made
    await made.close()


async def gathered(
    connection: LinkConnection, *servers: str, timeout: float = 60.0, bind: tuple[str, ...] = ()
) -> StunMappings:
    stun = StunMappings(servers, timeout)
    addresses = tuple(map(ip_address, bind or ("127.0.0.1",)))
    async with asyncio.timeout(30):  # far less than a server that does not answer may take
        await gather(connection, stun, replace(SETTINGS, bind=addresses))
    return stun


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("stun.example.org", Server("stun.example.org", 3478)),
        ("stun:stun.example.org:19302", Server("stun.example.org", 19302)),
        ("127.0.0.1:5", Server("127.0.0.1", 5)),
    ],
)
def test_servers_are_read(text: str, server: Server) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize("text", ["", ":1", "host:", "host:0", "host:65536", "host:x", "a b:1", "::1", "host:²"])
def test_what_is_no_server(text: str) -> None:
    with pytest.raises(UsageError):
        parse_server(text)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_server(text)
    except UsageError:
        return


async def test_two_servers_that_agree(connection: LinkConnection) -> None:
    async with stun_server(lambda _: MAPPED) as one, stun_server(lambda _: MAPPED) as two:
        stun = await gathered(connection, one.url, two.url)
        assert stun.addresses == [MAPPED] and stun.symmetric is False
        assert one.asked == two.asked == [("127.0.0.1", connection.sockets[0].local_candidate.port)]


async def test_two_servers_that_disagree_show_a_symmetric_nat(connection: LinkConnection) -> None:
    async with stun_server(lambda _: MAPPED) as one, stun_server(lambda _: (MAPPED[0], 4001)) as two:
        assert (await gathered(connection, one.url, two.url)).symmetric is True


async def test_one_answer_is_enough_when_the_others_are_dead(connection: LinkConnection) -> None:
    async with stun_server(lambda _: MAPPED) as one, stun_server(lambda _: None) as dead:
        stun = await gathered(connection, dead.url, one.url, "127.0.0.1:9", timeout=30.0)
        assert stun.addresses == [MAPPED] and stun.symmetric is None


async def test_all_servers_dead_costs_the_timeout_and_no_more(connection: LinkConnection) -> None:
    async with stun_server(lambda _: None) as dead:
        stun = await gathered(connection, dead.url, timeout=0.1)
        assert stun.addresses == [] and stun.symmetric is None and dead.asked


async def test_every_ipv4_socket_asks_and_no_other(connection: LinkConnection) -> None:
    async with stun_server() as server:
        stun = await gathered(connection, server.url, bind=("127.0.0.1", "127.0.0.2", "::1"))
        assert sorted(address for address, _ in stun.addresses) == ["127.0.0.1", "127.0.0.2"]
        assert sorted(address for address, _ in server.asked) == ["127.0.0.1", "127.0.0.2"]


@pytest.mark.parametrize("mapped", [("0.0.0.0", 5), ("224.0.0.1", 5), ("198.51.100.1", 0), ("2001:db8::1", 5)])
async def test_answers_that_cannot_be_are_ignored(connection: LinkConnection, mapped: tuple[str, int]) -> None:
    async with stun_server(lambda _: mapped) as server:
        assert (await gathered(connection, server.url, timeout=0.2)).addresses == []


async def test_a_loopback_link_resolves_no_name(connection: LinkConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_args: object, **_kwargs: object) -> list[object]:
        raise AssertionError("a name was resolved")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", refuse)
    await gather(connection, StunMappings((), 5.0), SETTINGS)
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", refuse)
    stun = StunMappings(("stun.example.org:3478",), 5.0)
    await stun.gather(connection.sockets)
    assert stun.addresses == []


async def offer_beside(server: StunServer, policy: IpPolicy = IpPolicy.ALL) -> LinkSettings:
    return replace(
        SETTINGS, stun=(server.url,), ip_policy=policy, config=LinkConfig(keepalive_interval=0.05, stun_timeout=1.0)
    )


async def test_the_mapping_is_offered_once_and_kept_alive() -> None:
    async with stun_server(lambda _: MAPPED) as server:
        offer = await AiortcEngine().offer(await offer_beside(server))
        host, reflexive = offer.description.candidates
        assert (host.type, reflexive.type) == (CandidateType.HOST, CandidateType.SERVER_REFLEXIVE)
        assert (str(reflexive.address), reflexive.port) == MAPPED
        await server.news.until(lambda: len(server.asked) >= 4)
        assert set(server.asked) == {("127.0.0.1", host.port)}
        assert offer.symmetric_nat is None
        await offer.close()


async def test_a_mapping_equal_to_the_host_address_is_not_offered_twice() -> None:
    async with stun_server() as server:
        offer = await AiortcEngine().offer(await offer_beside(server))
        assert [c.type for c in offer.description.candidates] == [CandidateType.HOST]
        await offer.close()


async def test_a_moved_mapping_changes_the_offer_and_is_told() -> None:
    port = 4000
    async with stun_server(lambda _: (MAPPED[0], port)) as server:
        offer = await AiortcEngine().offer(await offer_beside(server))
        first = offer.description
        moved = asyncio.get_running_loop().create_future()
        offer.on_moved(moved.set_result)
        port = 4001
        async with asyncio.timeout(5):
            assert await moved == offer.description
        assert [c.port for c in offer.description.candidates] == [first.candidates[0].port, 4001]
        assert replace(offer.description, candidates=()) == replace(first, candidates=())
        await offer.close()


async def test_public_only_hides_the_host_address() -> None:
    async with stun_server(lambda _: MAPPED) as server:
        offer = await AiortcEngine().offer(await offer_beside(server, IpPolicy.PUBLIC_ONLY))
        assert [c.type for c in offer.description.candidates] == [CandidateType.SERVER_REFLEXIVE]
        await offer.close()


@pytest.mark.parametrize("policy", [IpPolicy.NO_STUN, IpPolicy.LAN])
async def test_policies_under_which_no_server_hears_of_us(policy: IpPolicy) -> None:
    async with stun_server(lambda _: MAPPED) as server:
        offer = await AiortcEngine().offer(await offer_beside(server, policy))
        assert [c.type for c in offer.description.candidates] == [CandidateType.HOST]
        await offer.close()
        assert server.asked == []


async def test_the_answerer_holds_open_the_way_to_every_candidate() -> None:
    engine = AiortcEngine()
    async with stun_server(lambda _: None) as nobody:
        offer = await engine.offer(SETTINGS)
        address = replace(offer.description.candidates[0], port=nobody.address[1])
        answer = await engine.answer(
            replace(SETTINGS, config=LinkConfig(keepalive_interval=0.05)),
            replace(offer.description, candidates=(address,)),
        )
        await nobody.news.until(lambda: len(nobody.indications) >= 3)
        assert {port for _, port in nobody.indications} == {answer.description.candidates[0].port}
        await answer.close()
        await offer.close()
