"""The relay as a whole, over the memory engine, with real clients at the other end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from mayfly.errors import CodeError, ConnectError, LinkError
from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.events import (
    Closed,
    CodeReady,
    Connected,
    Draining,
    Leaving,
    Left,
    Listening,
    MessageReceived,
    Warned,
)
from mayfly.services.options import HubOptions
from mayfly_relay.limits import RelayLimits
from support.programs_in_memory import Stage, client_options, connected, proxy_port, relay_options, socks_connect
from support.tcp import echo, serving


async def last_words(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say something to the server that echoes, and nothing after it."""
    writer.write(b"over the mayfly")
    writer.write_eof()
    assert await reader.read() == b"over the mayfly"
    writer.close()


async def test_a_stream_goes_through_and_the_words_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage, serving(echo) as server:
        relay = stage.relay()
        client = await stage.tunnel(relay)
        theirs = await relay.script.event(Connected)
        ours = await client.script.event(Connected)
        assert theirs.words == ours.words
        assert (theirs.role, ours.role) == ("client", "relay")
        assert ours.lifetime is not None
        assert 3590 <= ours.lifetime <= 3600
        assert ours.policy
        reader, writer = await connected(client, server)
        await last_words(reader, writer)


async def test_each_answer_is_followed_by_a_fresh_code_up_to_max_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(limits=RelayLimits(max_clients=2)))
        first = await stage.tunnel(relay)
        await stage.tunnel(relay)
        assert len(relay.script.all(CodeReady)) == 2
        first.shutdown.request_drain()
        await first.task
        await relay.script.code(3)  # a seat is free again
        await stage.tunnel(relay)
        assert [event.peer for event in relay.script.all(Connected)] == [1, 2, 3]
        assert len({event.code for event in relay.script.all(CodeReady)}) == len(relay.script.all(CodeReady))


async def test_a_client_that_never_comes_is_said_and_frees_its_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(limits=RelayLimits(max_clients=1)))
        client = stage.client(client_options(code=await relay.script.code()))
        answer = await client.script.code()
        stage.network.answers.clear()  # the client is gone before the relay connects
        relay.script.paste(answer)
        warned = await relay.script.event(Warned)
        assert warned.stage == "connect"
        await relay.script.code(2)


async def test_drain_lets_open_streams_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage, serving(echo) as server:
        relay = stage.relay()
        client = await stage.tunnel(relay)
        reader, writer = await connected(client, server)
        relay.shutdown.request_drain()
        assert (await relay.script.event(Draining)).streams == 1
        leaving = await client.script.event(Leaving)
        assert leaving.seconds == 5.0
        refused, _reader, other = await socks_connect(proxy_port(client), *server)
        assert refused == 1
        other.close()
        await last_words(reader, writer)
        await relay.task
        await client.task
        assert (await client.script.event(Closed)).reason == "the relay has left"


async def test_stop_ends_open_streams_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage, serving(echo) as server:
        relay = stage.relay(relay_options(grace=3600.0))
        client = await stage.tunnel(relay)
        reader, writer = await connected(client, server)
        relay.shutdown.request_drain()
        await relay.script.event(Draining)
        relay.shutdown.request_stop()
        await relay.task
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_the_grace_period_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage, serving(echo) as server:
        relay = stage.relay(relay_options(grace=0.05))
        client = await stage.tunnel(relay)
        _, writer = await connected(client, server)
        relay.shutdown.request_drain()
        await relay.task
        writer.close()


async def test_the_lifetime_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(lifetime=1.0))
        client = await stage.tunnel(relay)
        assert (await client.script.event(Leaving)).reason == "the relay's time is up"
        await relay.task
        await client.task
        assert relay.shutdown.drain.is_set()


async def test_a_lifetime_without_clients_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(lifetime=0.05))
        await relay.task
        assert await relay.script.event(Draining) == Draining(0, 0.0)


async def test_the_byte_quota_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mayfly_relay.meter.INTERVAL", 0.01)
    async with Stage(monkeypatch) as stage, serving(echo) as server:
        relay = stage.relay(relay_options(limits=RelayLimits(max_bytes=1000)))
        client = await stage.tunnel(relay)
        reader, writer = await connected(client, server)
        writer.write(bytes(2000))
        assert "all that it was to transfer" in (await client.script.event(Leaving)).reason
        writer.write_eof()
        assert len(await reader.read()) == 2000  # what is under way may finish
        writer.close()
        await relay.task


async def test_an_idle_client_has_to_go_and_the_relay_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mayfly_relay.meter.INTERVAL", 0.01)
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(limits=RelayLimits(idle_timeout=0.05)))
        client = await stage.tunnel(relay)
        assert "nothing was transferred" in (await client.script.event(Closed)).reason
        assert not relay.task.done()
        await stage.tunnel(relay)


async def test_a_relay_answers_a_clients_code_and_serves_that_client(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        client = stage.client()
        relay = stage.relay(relay_options(code=await client.script.code()))
        client.script.paste(await relay.script.code())
        await client.script.event(Listening)
        assert (await relay.script.event(Connected)).words == (await client.script.event(Connected)).words
        client.shutdown.request_drain()
        await client.task
        await relay.task
        assert len(relay.script.all(CodeReady)) == 1


async def test_a_relay_started_with_a_code_drains_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage, serving(echo) as server:
        client = stage.client()
        relay = stage.relay(relay_options(code=await client.script.code()))
        client.script.paste(await relay.script.code())
        await client.script.event(Listening)
        reader, writer = await connected(client, server)
        relay.shutdown.request_drain()
        await client.script.event(Leaving)
        await last_words(reader, writer)
        await relay.task
        await client.task
        await relay.script.event(Closed)


async def test_a_clients_code_that_nobody_stands_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        client = stage.client()
        code = await client.script.code()
        link = replace(relay_options().link, config=replace(relay_options().link.config, answer_lifetime=0.05))
        relay = stage.relay(relay_options(code=code, link=link))
        with pytest.raises(ConnectError):
            await relay.task


async def test_two_relays_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        first = stage.relay()
        second = stage.relay(relay_options(code=await first.script.code()))
        first.script.paste(await second.script.code())
        with pytest.raises(LinkError, match="not a client"):
            await second.task
        assert "not a client" in (await first.script.event(Warned)).message


async def test_the_end_of_input_ends_a_relay_that_nobody_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay()
        await relay.script.code()
        relay.script.end_input()
        with pytest.raises(CodeError, match="input ended"):
            await relay.task


async def test_the_end_of_input_leaves_clients_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage, serving(echo) as server:
        relay = stage.relay()
        client = await stage.tunnel(relay)
        relay.script.end_input()
        _, writer = await connected(client, server)
        writer.close()
        client.shutdown.request_drain()
        await client.task
        await relay.task


async def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    before = asyncio.all_tasks()
    async with Stage(monkeypatch) as stage:
        relay = stage.relay()
        client = await stage.tunnel(relay)
        relay.shutdown.request_drain()
        await relay.task
        await client.task
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert all(link.ended for pair in stage.network.links for link in pair)
    assert all(offer.spent for offer in stage.network.offers)


async def test_a_command_sees_and_stops_a_relay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(hub=HubOptions(directory=tmp_path / "mayfly")))
        client = await stage.tunnel(relay)
        async with await ControlClient.attach("relay", tmp_path / "mayfly") as command:
            status = (await command.request("status"))["status"]
            assert [peer["role"] for peer in status["peers"]] == ["client"]
            await command.request("stop")
            await relay.task
        await client.task
        assert (await client.script.event(Leaving)).reason == "the volunteer is leaving"


async def test_clients_of_one_relay_share_its_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay()
        first = await stage.tunnel(relay, hub=HubOptions(directory=tmp_path / "mayfly", session="one", user="anna"))
        second = await stage.tunnel(relay, hub=HubOptions(directory=tmp_path / "mayfly", session="two", user="bob"))
        async with await ControlClient.attach("one", tmp_path / "mayfly") as command:
            who = (await command.request("chat"))["who"]
            while not {"relay", "bob"} <= set(who):
                await command.event()
                who = (await command.request("who"))["who"]
            await command.request("say", text="hello all")
            heard = await second.script.event(MessageReceived)
            assert (heard.sender, heard.text) == ("anna", "hello all")
            assert (await relay.script.event(MessageReceived)).sender == "anna"
        second.shutdown.request_drain()
        await second.task
        assert (await first.script.event(Left)).name == "bob"
