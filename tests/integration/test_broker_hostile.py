"""A broker against those who cut, trickle, forge, flood and guess, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mayfly_broker.options import BrokerOptions, Place, Tls
from support.broker import Api, api, broker_inside, serve_clients
from support.certificates import self_signed

HEAD = "POST {path} HTTP/1.1\r\nHost: b\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n"


def raw(method: str, path: str, body: Any = None, token: str | None = None) -> bytes:
    """A request as bytes."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: b",
        f"Content-Length: {len(content)}",
        "Content-Type: application/json",
    ]
    lines += [] if token is None else [f"Authorization: Bearer {token}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def spoken(base: str, data: bytes) -> bytes:
    """All that comes back until the broker closes."""
    host, port = base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def cut(base: str, data: bytes) -> None:
    """Send bytes, and reset the connection."""
    host, port = base.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await writer.drain()
    writer.transport.abort()


async def gone(caller: Api, count: int = 0) -> None:
    """Wait until no posting is left but so many."""
    async with asyncio.timeout(20):
        while await postings(caller) != count:
            await asyncio.sleep(0.02)


async def postings(caller: Api) -> int:
    """How many can be matched: each is asked for once, and given back."""
    matches = []
    while (match := await caller.match()).status == 201:
        matches.append(match.body)
    for each in matches:
        await caller.close(each["match"], each["token"], "failed")
    return len(matches)


async def test_a_connection_cut_at_any_step_of_any_exchange_leaves_nothing_behind() -> None:
    posting = {
        "version": 1,
        "mode": "pool",
        "key": "k" * 43,
        "capacity": 1,
        "lifetime": 60,
        "about": {"upstream": "tor"},
    }
    async with (
        broker_inside(lease=0.4, cut_lease=0.1, match_lifetime=0.4, linger=0.1) as broker,
        api(broker.base) as caller,
    ):
        kept = await caller.post_friend()
        own = kept["posting"], kept["token"]
        match = (await caller.match(kept["nameplate"])).ok()
        requests = [
            raw("POST", "/v1/postings", posting),
            raw("PATCH", f"/v1/postings/{own[0]}", {"capacity": 1}, own[1]),
            raw("GET", f"/v1/postings/{own[0]}/next?wait=20&after=9", None, own[1]),
            raw("POST", "/v1/matches", {"version": 1, "mode": "pool"}),
            raw("POST", f"/v1/matches/{match['match']}/messages?wait=20", {"n": 1, "body": "x"}, match["token"]),
            raw("GET", f"/v1/matches/{match['match']}/messages?wait=20", None, match["token"]),
            raw("DELETE", f"/v1/matches/{match['match']}", None, match["token"]),
            raw("DELETE", f"/v1/postings/{own[0]}", None, own[1]),
        ]
        for request in requests:
            for end in (1, 20, request.find(b"\r\n\r\n") + 4, len(request) - 1, len(request)):
                await cut(broker.base, request[:end])
        await gone(caller)
        assert (await caller.call("GET", "/healthz")).status == 200
        again = await caller.post_pool()  # and it still works
        assert (await caller.match()).ok()["posting"] == again["posting"]


async def test_a_relay_that_is_killed_is_soon_no_longer_given_to_clients() -> None:
    async with broker_inside(lease=60, cut_lease=0.2) as broker, api(broker.base) as caller:
        posting = await caller.post_pool()
        host, port = broker.base.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(raw("GET", f"/v1/postings/{posting['posting']}/next?wait=20", None, posting["token"]))
        match = (await caller.match()).ok()
        assert match["match"].encode() in await reader.readuntil(b"]")
        await caller.close(match["match"], match["token"], "failed")
        writer.write(raw("GET", f"/v1/postings/{posting['posting']}/next?wait=20&after=2", None, posting["token"]))
        await writer.drain()
        await caller.call("GET", "/healthz")
        writer.transport.abort()
        await gone(caller)
        (await caller.news(posting)).refused("unknown-posting")


@pytest.mark.parametrize("start", [b"", b"POST /v1/mat", raw("POST", "/v1/matches", {"version": 1})[:40]])
async def test_a_slow_head_is_cut(start: bytes) -> None:
    async with broker_inside(idle_timeout=0.3) as broker:
        host, port = broker.base.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))

        async def trickle() -> None:
            for byte in start + b"x" * 1000:
                writer.write(bytes([byte]))
                await asyncio.sleep(0.05)

        task = asyncio.get_running_loop().create_task(trickle())
        async with asyncio.timeout(5):
            try:
                answer = await reader.read()
            except ConnectionResetError:
                answer = b""
        assert answer == b"" or answer.startswith(b"HTTP/1.0 400 ")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        writer.close()


async def test_a_slow_body_is_told_and_cut() -> None:
    async with broker_inside(request_timeout=0.2) as broker:
        request = raw("POST", "/v1/matches", {"version": 1, "mode": "pool"})
        async with asyncio.timeout(10):
            answer = await spoken(broker.base, request[:-5])
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"error":"timeout"' in answer


async def test_what_is_too_large_is_refused_unread() -> None:
    async with broker_inside() as broker, api(broker.base) as caller:
        huge = HEAD.format(path="/v1/matches", length=10**12, more="").encode() + b"x" * 20_000
        async with asyncio.timeout(10):
            assert b'"error":"too-large"' in await spoken(broker.base, huge)
            chunked = HEAD.format(
                path="/v1/matches", length=0, more="Connection: close\r\nTransfer-Encoding: chunked\r\n"
            )
            chunked = chunked.replace("Content-Length: 0\r\n", "")
            chunks = b"".join(b"1000\r\n" + b"x" * 0x1000 + b"\r\n" for _ in range(5))
            assert b'"error":"too-large"' in await spoken(broker.base, chunked.encode() + chunks + b"0\r\n\r\n")
            headers = b"GET /healthz HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"
            assert (await spoken(broker.base, headers)).startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
        bomb = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        async with caller.session.post(broker.base + "/v1/matches", data=b"\x1f\x8b\x08", headers=bomb) as response:
            assert response.status in (400, 415)


async def test_truncated_and_foreign_requests_are_answered_or_cut() -> None:
    request = raw("POST", "/v1/matches", {"version": 1, "mode": "pool"})
    odd = [
        request.replace(b"HTTP/1.1", b"HTTP/9.9"),
        request.replace(b"Content-Length: ", b"Content-Length: -"),
        request.replace(b"Content-Length: ", b"Content-Length: 5\r\nContent-Length: "),
        request.replace(b"Content-Type: application/json", b"Content-Type: text/plain"),
        request.replace(b'"pool"', b'"\xff\xfe"'),
        b"\x00" * 100,
        b"GET http://[ HTTP/1.1\r\nHost: b\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
    async with broker_inside(idle_timeout=0.3, request_timeout=0.3) as broker, asyncio.timeout(20):
        for each in odd:
            answer = await spoken(broker.base, each)
            assert answer == b"" or b" 4" in answer[:13], answer
        assert b"200 OK" in await spoken(broker.base, b"GET /healthz HTTP/1.0\r\n\r\n")


async def test_forged_tokens_and_somebody_elses_answer() -> None:
    async with broker_inside() as broker, api(broker.base) as caller:
        first, other = await caller.post_pool(), await caller.post_pool()
        match = (await caller.match(exclude=[other["posting"]])).ok()
        elsewhere = (await caller.match()).ok()
        for token in (other["token"], elsewhere["token"], "A" * 22, "", None, "short"):
            for answer in (
                await caller.send(match["match"], token, 1, "forged"),  # type: ignore[arg-type]  # None: without one
                await caller.mailbox(match["match"], token),  # type: ignore[arg-type]
                await caller.close(match["match"], token),  # type: ignore[arg-type]
                await caller.call("DELETE", f"/v1/postings/{first['posting']}", token=token),
                await caller.call("GET", f"/v1/postings/{first['posting']}/next", token=token),
            ):
                assert answer.refused("unauthorized")
                assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert (await caller.mailbox(match["match"], match["token"])).ok() == {"messages": [], "cursor": 0}


async def test_replayed_requests_change_nothing() -> None:
    async with broker_inside() as broker, api(broker.base) as caller, asyncio.TaskGroup() as group:
        posting = await caller.post_friend()
        relay = group.create_task(serve_clients(caller, posting, 1))
        match = (await caller.match(posting["nameplate"])).ok()
        for _ in range(3):
            answer = (await caller.send(match["match"], match["token"], 1, "offer", wait=5)).ok()
            assert [mail["body"] for mail in answer["messages"]] == ["to-offer"]
        await relay
        for _ in range(2):
            assert (await caller.close(match["match"], match["token"])).status == 204
        (await caller.send(match["match"], match["token"], 1, "another")).refused("closed")
        (await caller.match(posting["nameplate"])).refused("used")


async def test_a_guesser_is_stopped_by_the_code_and_by_his_network() -> None:
    async with broker_inside(prefix_claims=7) as broker, api(broker.base) as caller:
        posting = await caller.post_friend()
        for _ in range(3):
            match = (await caller.match(posting["nameplate"])).ok()
            await caller.send(match["match"], match["token"], 1, "element")
            await caller.send(match["match"], match["token"], 2, "guess")
            await caller.close(match["match"], match["token"], "done")
        (await caller.match(posting["nameplate"])).refused("burned")
        (await caller.news(posting)).refused("burned")
        for _ in range(3):
            (await caller.match("99")).refused("no-such-nameplate")
        assert (await caller.match("99")).refused("too-many")["retry_after"] <= 60


async def test_one_network_cannot_take_all_requests_or_connections() -> None:
    async with broker_inside(prefix_rate=1, prefix_burst=5, prefix_connections=4) as broker, api(broker.base) as caller:
        answers = [await caller.match() for _ in range(6)]
        assert [answer.status for answer in answers] == [404] * 5 + [429]
        assert int(answers[-1].headers["Retry-After"]) >= 1
        host, port = broker.base.removeprefix("http://").split(":")
        opened = [await asyncio.open_connection(host, int(port)) for _ in range(4)]  # one is the caller's already
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionResetError):
                if await opened[-1][0].read() == b"":
                    raise ConnectionResetError
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize("words", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00"])
async def test_who_never_ends_a_tls_handshake_counts_like_anybody_else(tmp_path: Path, words: bytes) -> None:
    certificate, key = self_signed(tmp_path, "broker.example")
    options = BrokerOptions(listen=Place(port=0), tls=Tls(certificate, key))
    async with broker_inside(options, prefix_connections=4, handshake_timeout=0.5) as broker:
        host, port = broker.base.removeprefix("https://").split(":")
        opened = [await asyncio.open_connection(host, int(port)) for _ in range(6)]
        for _, writer in opened[:4]:
            writer.write(words)
        async with asyncio.timeout(10):
            for reader, _ in (*opened[4:], *opened[:4]):  # the last two at once, the others when their time is over
                with contextlib.suppress(ConnectionResetError):
                    while await reader.read(1024):
                        pass
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=certificate))
        async with api(broker.base, connector=connector) as caller, asyncio.timeout(10):
            for _ in range(8):  # all seats are free again, and each of these has one for a moment
                async with caller.session.get(
                    broker.base + "/healthz", server_hostname="broker.example", headers={"Connection": "close"}
                ) as answer:
                    assert answer.status == 200
        for _, writer in opened:
            writer.close()


async def test_what_a_client_says_of_its_address_is_no_way_round_the_limits() -> None:
    trusting = BrokerOptions(listen=Place(port=0), trusted=(ip_network("127.0.0.0/8"),))
    async with broker_inside(trusting, prefix_claims=1) as broker, api(broker.base) as caller:
        claim = {"version": 1, "mode": "friend", "nameplate": "99"}
        for forged, error in (("198.51.100.1", "no-such-nameplate"), ("203.0.113.1", "too-many")):
            headers = [("X-Forwarded-For", forged), ("X-Forwarded-For", "192.0.2.7")]  # the proxy's comes last
            async with caller.session.post(broker.base + "/v1/matches", json=claim, headers=headers) as answer:
                assert (await answer.json())["error"] == error


async def test_any_page_may_ask() -> None:
    async with broker_inside() as broker, api(broker.base) as caller:
        asked = {
            "Origin": "null",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        for path in ("/v1/postings", "/v1/matches", "/v1/postings/abcdefghijklmnop/next", "/v1/matches/x/messages"):
            async with caller.session.options(broker.base + path, headers=asked) as response:
                assert response.status == 204
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
                assert "POST" in response.headers["Access-Control-Allow-Methods"]
        refused = await caller.call("GET", "/v1/nothing", headers={"Origin": "null"})
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
        refused.refused("not-found")
