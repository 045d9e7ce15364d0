from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.errors import Reply, UpstreamError
from mayfly.wire.address import Destination
from mayfly_relay.tor_lookup import login, look_up, lookup, parse_answer
from support.programs import free_port
from support.proxies import made_up
from support.spoilt import spoilt

NAME = Destination("secret.example", 0)
ADDRESS = Destination.parse_host("8.8.8.8", 0)
CONSENT = (b"\x05\x02", b"\x01\x00")


async def ask(port: int, what: Destination = NAME, timeout: float = 5.0) -> Destination:
    return await look_up(("127.0.0.1", port), "who", "what", what, timeout)


async def reply(*answers: bytes, timeout: float = 5.0, then: str = "close") -> Reply:
    async with made_up(*answers, then=then) as tor:
        with pytest.raises(UpstreamError) as caught:
            await ask(tor.port, timeout=timeout)
    return caught.value.reply


def test_the_requests() -> None:
    assert lookup(NAME) == b"\x05\xf0\x00\x03\x0esecret.example\x00\x00"
    assert lookup(ADDRESS) == b"\x05\xf1\x00\x01\x08\x08\x08\x08\x00\x00"
    assert login("who", "what") == b"\x01\x03who\x04what"


async def test_a_name_and_an_address_under_the_clients_login() -> None:
    async with made_up(*CONSENT, b"\x05\x00\x00\x01\x08\x08\x08\x08\x00\x00") as tor:
        assert await ask(tor.port) == ADDRESS
        assert tor.heard == [b"\x05\x01\x02", login("who", "what"), lookup(NAME)]
    async with made_up(*CONSENT, b"\x05\x00\x00\x03\x0esecret.example\x00\x00") as tor:
        assert await ask(tor.port, ADDRESS) == NAME


async def test_refusals_nonsense_and_silence() -> None:
    assert await reply(*CONSENT, b"\x05\x04\x00\x01\0\0\0\0\0\0") is Reply.HOST_UNREACHABLE
    assert await reply(*CONSENT, b"\x05\xf0\x00\x01\0\0\0\0\0\0") is Reply.HOST_UNREACHABLE
    assert await reply(*CONSENT, b"\x05\x00") is Reply.HOST_UNREACHABLE
    assert await reply(*CONSENT, b"\x05\x00\x00\x03\x02\x1b[\x00\x00") is Reply.GENERAL_FAILURE
    assert await reply(b"\x05\xff") is Reply.GENERAL_FAILURE
    assert await reply(b"\x05") is Reply.NETWORK_UNREACHABLE
    assert await reply(*CONSENT, b"", timeout=0.05, then="hold") is Reply.TTL_EXPIRED
    with pytest.raises(UpstreamError) as caught:
        await ask(free_port())
    assert caught.value.reply is Reply.NETWORK_UNREACHABLE


ANSWERS = st.builds(
    lambda address: b"\x05\0\0" + address.encode(), st.ip_addresses().map(lambda ip: Destination.parse_host(str(ip), 0))
)


@given(st.binary(max_size=300) | spoilt(ANSWERS))
def test_any_bytes_are_an_answer_a_refusal_or_the_beginning_of_one(data: bytes) -> None:
    with contextlib.suppress(UpstreamError):
        found = parse_answer(data)
        assert found is not None or len(data) < 3 + 2 + 255 + 2
