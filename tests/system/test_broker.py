"""`mayfly broker` as a process: introductions, a crowd, leaving, restarts, and what it says and does not say."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from support.broker import CROWD, Answer, Api, api, broker_process, serve_clients
from support.certificates import self_signed
from support.mayfly import MayflyProcess
from support.programs import free_port

CANNOT_LISTEN, USAGE = 6, 2


async def introduced(caller: Api, nameplate: str | None = None, told: Callable[[], None] = lambda: None) -> Answer:
    """A client asks, sends an offer and waits for the answer, in two requests. `told` is called after the first."""
    match = await caller.match(nameplate)
    told()
    if match.status != 201:
        return match
    answer = await caller.send(match.body["match"], match.body["token"], 1, "offer", wait=20)
    assert [mail["body"] for mail in answer.ok()["messages"]] == ["to-offer"]
    return match


async def test_strangers_and_friends_are_introduced() -> None:
    async with broker_process() as (_, base), api(base) as caller, asyncio.TaskGroup() as group:
        pool, friend = await caller.post_pool(), await caller.post_friend()
        relays = [group.create_task(serve_clients(caller, posting, 1)) for posting in (pool, friend)]
        first, second = await introduced(caller), await introduced(caller, friend["nameplate"])
        assert (first.body["posting"], first.body["key"]) == (pool["posting"], "k" * 43)
        assert second.body["posting"] == friend["posting"]
        assert [await relay for relay in relays] == [[first.body["match"]], [second.body["match"]]]
        (await caller.match(friend["nameplate"])).refused("used")
        assert (await caller.match()).refused("no-relay")["retry_after"] > 0


@pytest.mark.alone
async def test_a_thousand_clients_at_once_are_matched_or_told_why_within_5_seconds_and_none_twice() -> None:
    relays, seats, clients = 200, 4, 1000
    async with broker_process(*CROWD) as (_, base), api(base) as caller:
        postings = [await caller.post_pool(seats) for _ in range(relays)]
        async with asyncio.TaskGroup() as group:
            serving = [group.create_task(serve_clients(caller, posting)) for posting in postings]
            took: list[float] = []
            begun = time.monotonic()

            def told() -> None:
                took.append(time.monotonic() - begun)

            answers = await asyncio.gather(*(introduced(caller, told=told) for _ in range(clients)))
            for task in serving:
                task.cancel()
    given = Counter(answer.body["posting"] for answer in answers if answer.status == 201)
    assert given.total() == relays * seats
    assert set(given.values()) == {seats}
    for answer in answers:
        if answer.status != 201:
            answer.refused("no-relay")
    assert len({answer.body["match"] for answer in answers if answer.status == 201}) == relays * seats
    assert len(took) == clients
    assert max(took) < 5


async def test_a_broker_that_leaves_tells_those_who_wait() -> None:
    async with broker_process() as (broker, base), api(base) as caller:
        idle, busy = await caller.post_friend(), await caller.post_pool()
        match = (await caller.match()).ok()
        polls = [asyncio.create_task(caller.news(posting, 1, wait=25)) for posting in (idle, busy)]  # noqa: TID251
        await asyncio.sleep(0)
        broker.program.send_signal(signal.SIGTERM)
        event = await broker.event("draining")
        assert (event["streams"], event["seconds"]) == (1, 10)
        for news in await asyncio.gather(*polls):
            assert 0 < news.ok()["closing"] <= 10
        refused = (await caller.match()).refused("draining")
        assert refused["retry_after"] == 10
        assert (await caller.call("GET", "/healthz")).body["status"] == "draining"
        answer = await caller.send(match["match"], busy["token"], 1, "answer")  # what is open may finish
        assert answer.ok()["closing"] > 0
        await caller.close(match["match"], busy["token"])
        assert await broker.wait(timeout=8) == 0


async def test_a_second_ctrl_c_ends_it_at_once() -> None:
    async with broker_process() as (broker, base), api(base) as caller:
        await caller.post_pool()
        (await caller.match()).ok()
        broker.interrupt()
        await broker.event("draining")
        broker.interrupt()
        assert await broker.wait(timeout=5) == 130


async def test_after_a_restart_relays_are_told_to_post_again() -> None:
    async with broker_process() as (broker, base), api(base) as caller:
        posting = await caller.post_pool()
        poll = asyncio.create_task(caller.news(posting, wait=25))  # noqa: TID251
        await caller.call("GET", "/healthz")
        await broker.program.kill()
        with pytest.raises(aiohttp.ClientError):
            await poll
    address = base.removeprefix("http://")
    async with broker_process(listen=address), api(base) as caller:
        (await caller.news(posting)).refused("unknown-posting")
        again = await caller.post_pool()
        assert (await caller.match()).ok()["posting"] == again["posting"]


async def test_plain_errors() -> None:
    async with broker_process() as (_, base):
        address = base.removeprefix("http://")
        for arguments, status, words in (
            (("--listen", address), CANNOT_LISTEN, "another program uses it"),
            (("--listen", "192.0.2.1:0"), CANNOT_LISTEN, "no such address"),
            (("--listen", "here"), USAGE, "--listen"),
            (("--store", "mysql://x"), USAGE, "--store"),
            (("--store", "redis://127.0.0.1:1/0"), 4, "does not answer"),
            (("--tls-cert", "/none.pem"), USAGE, "--tls-key"),
            (
                ("--tls-cert", "/none.pem", "--tls-key", "/none.pem", "--listen", "127.0.0.1:0"),
                CANNOT_LISTEN,
                "/none.pem",
            ),
            (("--trusted-proxy", "everybody"), USAGE, "--trusted-proxy"),
        ):
            async with MayflyProcess.running("broker", *arguments) as process:
                error = await process.event("error")
                assert words in error["message"]
                assert error["hint"]
                assert await process.wait() == status
                assert "Traceback" not in process.program.output


async def test_nothing_that_it_writes_holds_an_address_or_an_id() -> None:
    own = "127.0.0.77"
    connector = aiohttp.TCPConnector(local_addr=(own, 0))
    async with broker_process("--access-log") as (broker, base), api(base, connector=connector) as caller:
        posting = await caller.post_friend()
        await caller.match(posting["nameplate"])
        await caller.call("POST", "/v1/matches", {"version": 2})
        await caller.call("GET", "/nothing?secret=1")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(base.rpartition(":")[2]), local_addr=(own, 0))
        writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        await reader.read()
        writer.close()
        await broker.program.wait_for_line("GET none 404")
        metrics = await caller.session.get(base + "/metrics")
        written = broker.program.output + json.dumps(broker.events) + await metrics.text()
    assert "POST match 201" in written
    assert 'mayfly_broker_requests_total{operation="match",status="201"} 8.0' in written
    for secret in (own, posting["posting"], posting["token"], "secret"):
        assert secret not in written


async def test_over_a_unix_socket_and_with_metrics_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    path, port = tmp_path_factory.mktemp("b") / "s", free_port()
    async with broker_process("--metrics-listen", f"127.0.0.1:{port}", listen=f"unix:{path}") as (broker, _):
        async with api("http://broker", connector=aiohttp.UnixConnector(str(path))) as caller:
            assert (await caller.call("GET", "/healthz")).ok() == {"status": "ok", "version": 1}
            (await caller.call("GET", "/metrics")).refused("not-found")
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert "mayfly_broker_requests_total" in await answer.text()
        broker.interrupt()
        assert await broker.wait() == 0
    assert not path.exists()


async def test_with_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "broker.example")
    trusting = ssl.create_default_context(cafile=certificate)
    connector = aiohttp.TCPConnector(ssl=trusting)
    async with broker_process("--tls-cert", str(certificate), "--tls-key", str(key)) as (_, base):
        assert base.startswith("https://")
        async with api(base, connector=connector) as caller:
            async with caller.session.get(base + "/healthz", server_hostname="broker.example") as answer:
                assert answer.status == 200
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await caller.call("GET", "/healthz")  # another name than the certificate's
