"""The HTTP client, against brokers that are good, bad, slow, gone, and something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from mayfly.errors import BrokerDownError, BrokerRefusedError
from mayfly.meetconfig import MeetingConfig
from mayfly.rendezvous.address import BrokerAddress, parse
from mayfly.rendezvous.messages import FriendPosting, NewMessage, PostingCreated
from mayfly.runtime.broker.client import BrokerClient, BrokerSession
from mayfly.runtime.broker.options import BrokerOptions
from support.programs import free_port

POSTING = FriendPosting(version=1, lifetime=60.0)
CREATED = b'{"posting":"0123456789abcdef","token":"0123456789abcdef012345","expires_in":45,"nameplate":"7"}'
CONFIG = MeetingConfig(answer_timeout=0.5, connect_timeout=0.5, max_response=16 * 1024)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, *, prefix: str = "") -> AsyncIterator[BrokerAddress]:
    """A web server that gives everything to one handler."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield parse(f"http://{host}:{port}{prefix}")
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client(*addresses: BrokerAddress, **more: str) -> AsyncIterator[BrokerClient]:
    options = BrokerOptions(brokers=addresses, config=CONFIG, **more)
    async with BrokerSession(options) as session:
        yield session.clients[0]


def answering(body: bytes, status: int = 200) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, content_type="application/json")

    return handle


async def test_a_request_is_what_the_protocol_says() -> None:
    seen: list[web.Request] = []
    bodies: list[bytes] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request)
        bodies.append(await request.read())
        return web.Response(body=CREATED, status=201)

    async with serving(handle, prefix="/meet") as address, client(address) as broker:
        created = await broker.post(POSTING)
        assert created.nameplate == "7"
        await broker.leave(created)
    assert (seen[0].method, seen[0].path) == ("POST", "/meet/v1/postings")
    assert b'"mode":"friend"' in bodies[0]
    assert "User-Agent" not in seen[0].headers
    assert seen[0].headers["Content-Type"] == "application/json"
    assert (seen[1].method, seen[1].path) == ("DELETE", "/meet/v1/postings/0123456789abcdef")
    assert seen[1].headers["Authorization"] == "Bearer 0123456789abcdef012345"


async def test_every_call_has_its_path() -> None:
    seen: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(f"{request.method} {request.path_qs}")
        return web.Response(body=b'{"events":[],"messages":[],"cursor":0,"expires_in":1}')

    created = PostingCreated(posting="p" * 16, token="t" * 22, expires_in=1.0)
    async with serving(handle) as address, client(address) as broker:
        await broker.news(created, 3)
        await broker.say("m" * 16, "t" * 22, NewMessage(n=1, body="eA"), after=1, wait=10.0)
        await broker.hear("m" * 16, "t" * 22, after=2, wait=0.0)
        await broker.end("m" * 16, "t" * 22, "done")
    assert seen == [
        f"GET /v1/postings/{'p' * 16}/next?wait=25&after=3",
        f"POST /v1/matches/{'m' * 16}/messages?wait=10&after=1",
        f"GET /v1/matches/{'m' * 16}/messages?wait=0&after=2",
        f"DELETE /v1/matches/{'m' * 16}?outcome=done",
    ]


async def test_where_none_can_be_reached_the_advice_is_that_of_whoever_named_it() -> None:
    async with client(parse(f"http://127.0.0.1:{free_port()}"), advice="front= may lead there.") as broker:
        with pytest.raises(BrokerDownError, match="cannot be reached") as caught:
            await broker.post(POSTING)
    assert caught.value.hint == "It is tried again; front= may lead there."


async def test_a_refusal_has_our_words_and_none_of_the_broker_s() -> None:
    body = b'{"error":"no-relay","message":"\\u001b[31mevil","retry_after":3.5}'
    async with serving(answering(body, 503)) as address, client(address) as broker:
        with pytest.raises(BrokerRefusedError, match="No relay is free") as caught:
            await broker.post(POSTING)
    assert caught.value.code == "no-relay"
    assert caught.value.retry_after == 3.5
    assert "evil" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>captive portal</html>", 200),
        (b"", 200),
        (b"{}", 200),
        (b"null", 200),
        (b'{"posting":"short","token":"x","expires_in":45}', 200),
        (b"x" * 20_000, 200),
        (b"<html>not found</html>", 404),
        (b'{"error":"new-word","message":"x"}', 400),
        (b"", 302),
    ],
    ids=["html", "empty", "nothing in it", "null", "bad values", "too long", "other 404", "unknown word", "redirect"],
)
async def test_what_is_no_broker(body: bytes, status: int) -> None:
    async with serving(answering(body, status)) as address, client(address) as broker:
        with pytest.raises(BrokerDownError, match="no broker of Mayfly"):
            await broker.post(POSTING)


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_a_proxy_whose_broker_is_away_is_not_taken_for_a_wrong_address(status: int) -> None:
    async with serving(answering(b"<html>Bad Gateway</html>", status)) as address, client(address) as broker:
        with pytest.raises(BrokerDownError, match="does not run at the moment") as caught:
            await broker.post(POSTING)
    assert "tried again" in caught.value.hint


async def test_another_version_is_said() -> None:
    body = b'{"error":"version-unsupported","message":"x"}'
    async with serving(answering(body, 400)) as address, client(address) as broker:
        with pytest.raises(BrokerRefusedError, match="another version"):
            await broker.post(POSTING)


async def test_a_body_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 64 * 1024 * 1024:
            await response.write(b" " * 4096)
            sent += 4096
        return response

    async with serving(handle) as address, client(address) as broker:
        with pytest.raises(BrokerDownError):
            await broker.post(POSTING)
    assert sent < 16 * 1024 * 1024


async def test_a_compressed_body_is_not_unfolded() -> None:
    accepted: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        accepted.append(request.headers["Accept-Encoding"])
        return web.Response(body=b"\x1f\x8b" + bytes(30), headers={"Content-Encoding": "gzip"})

    async with serving(handle) as address, client(address) as broker:
        with pytest.raises(BrokerDownError, match="no broker of Mayfly"):
            await broker.post(POSTING)
    assert accepted == ["identity"]


async def test_a_slow_broker() -> None:
    async def handle(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(handle) as address, client(address) as broker:
        with pytest.raises(BrokerDownError, match="in time"):
            await broker.post(POSTING)


async def test_a_broker_that_is_not_there() -> None:
    async with serving(answering(b"")) as address:
        pass
    async with client(address) as broker:
        with pytest.raises(BrokerDownError, match="cannot be reached"):
            await broker.post(POSTING)


async def test_a_broker_that_hangs_up() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with server, client(parse(f"http://{host}:{port}")) as broker:
        with pytest.raises(BrokerDownError, match="broke off"):
            await broker.post(POSTING)


async def test_a_name_that_does_not_exist() -> None:
    async with client(parse("https://broker.invalid")) as broker:
        with pytest.raises(BrokerDownError, match=r"cannot be (resolved|reached)") as caught:
            await broker.post(POSTING)
    assert "invalid" not in caught.value.message


async def test_a_proxy_that_is_not_there() -> None:
    async with serving(answering(b"")) as address:
        pass
    proxy = address.url.replace("http://", "socks5://")
    async with client(parse("https://broker.example"), proxy=proxy) as broker:
        with pytest.raises(BrokerDownError, match="through the proxy"):
            await broker.post(POSTING)


async def test_a_front_is_asked_for_the_broker_by_its_host_header() -> None:
    seen: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.headers["Host"])
        return web.Response(body=CREATED, status=201)

    async with serving(handle) as front:
        address = parse("http://broker.example/meet", plain=True)
        async with client(address, front=front.host) as broker:
            await broker.post(POSTING)
    assert seen == ["broker.example"]
