"""The client as a whole, over the memory engine: start-up, refusals, and every way to end."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from mayfly.errors import LinkError, LinkLostError, ListenError, MistypedCodeError, StreamCode, StreamResetError
from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.events import Closed, CodeReady, Draining, Listening, MessageReceived, Warned
from mayfly.runtime.meeting import Meeting
from mayfly.services.options import HubOptions
from mayfly.transport.base import LinkSettings
from mayfly.transport.memory import CUT
from mayfly.transport.memory_engine import MemoryEngine
from mayfly.wire.address import Destination
from mayfly.wire.header import Header, Service
from mayfly.wire.hello import Role
from mayfly_client import app
from support.programs_in_memory import (
    Script,
    Stage,
    client_options,
    connected,
    proxy_port,
    relay_options,
    socks_connect,
)
from support.sessions import session_on
from support.tcp import echo, serving

WITHOUT_LINK = "Until there is a new link to a relay, the proxy refuses what programs ask of it."
LEFT = "the other side left before saying hello: bye"


async def test_a_busy_port_costs_nobody_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            client = stage.client(client_options(socks=taken.getsockname()))
            with pytest.raises(ListenError):
                await client.task
            assert client.script.all(CodeReady) == []


async def test_a_given_code_that_is_wrong_ends_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        client = stage.client(client_options(code="mf1nonsense"))
        with pytest.raises(MistypedCodeError):
            await client.task


async def test_listening_beyond_this_machine_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        client = stage.client(client_options(socks=("0.0.0.0", 0)))
        assert "not only on this computer" in (await client.script.event(Warned)).message


async def test_no_proxy_is_announced_before_the_tunnel_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        client = stage.client()
        await client.script.code()
        assert client.script.all(Listening) == []


async def test_leaving_while_a_code_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        client = stage.client()
        await client.script.code()
        client.shutdown.request_drain()
        await client.task
        assert stage.network.offers[0].spent


async def test_a_lost_relay_is_an_error_and_local_connections_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage, serving(echo) as server:
        relay = stage.relay()
        client = await stage.tunnel(relay)
        reader, writer = await connected(client, server)
        stage.network.links[0][0].cut()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        with pytest.raises(LinkLostError):
            await client.task
        await client.script.event(Closed)
        await relay.script.event(Closed)
        assert not relay.task.done()
        writer.close()


async def test_after_a_lost_link_it_goes_on_with_the_next_code(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay()
        client = await stage.tunnel(relay, again=True)
        stage.network.links[0][0].cut()
        await relay.script.event(Closed)
        warned = await client.script.event(Warned)
        assert warned.message == WITHOUT_LINK  # that it has ended, and why, `closed` has said
        assert "Paste a new code" in warned.hint
        assert client.script.all(Closed)[0].reason == CUT
        client.script.paste("mf1nonsense")
        assert (await client.script.event(Warned, 2)).stage == "code"
        client.script.paste(await relay.script.code(2))
        relay.script.paste(await client.script.code(2))
        await client.script.event(Listening, 2)
        client.shutdown.request_drain()
        await client.task
        assert (await relay.script.event(Closed, 2)).reason == "the client has left"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (LinkLostError(LEFT), f"{LEFT.capitalize()}. {WITHOUT_LINK}"),
        (LinkError("the other side is not a relay"), "The other side is not a relay."),
    ],
)
async def test_what_fails_before_the_next_link_stands_is_said(
    error: LinkError, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def greet(*_: object) -> None:
        raise error

    async with Stage(monkeypatch) as stage:
        relay = stage.relay()
        client = await stage.tunnel(relay, again=True)
        stage.network.links[0][0].cut()
        await client.script.event(Warned)
        monkeypatch.setattr(app, "greet", greet)
        client.script.paste(await relay.script.code(2))
        relay.script.paste(await client.script.code(2))
        assert (await client.script.event(Warned, 2)).message == message
        client.script.end_input()
        with pytest.raises(type(error)):
            await client.task


@pytest.mark.parametrize("how", ["no more codes", "Ctrl-C"])
async def test_without_another_code_a_lost_link_is_an_error(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        client = await stage.tunnel(stage.relay(), again=True)
        stage.network.links[0][0].cut()
        await client.script.event(Warned)
        if how == "Ctrl-C":
            client.shutdown.request_drain()
        else:
            client.script.end_input()
        with pytest.raises(LinkLostError):
            await client.task


async def test_draining_waits_for_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    released = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.write(b"done")

    async with Stage(monkeypatch) as stage, serving(slow) as server:
        relay = stage.relay()
        client = await stage.tunnel(relay)
        reader, writer = await connected(client, server)
        client.shutdown.request_drain()
        assert (await client.script.event(Draining)).streams == 1
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy_port(client))
        released.set()
        assert await reader.read() == b"done"
        writer.close()
        await client.task
        assert (await relay.script.event(Closed)).reason == "the client has left"


async def test_a_second_interrupt_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage, serving(echo) as server:
        client = await stage.tunnel(stage.relay(), grace=3600.0)
        reader, writer = await connected(client, server)
        client.shutdown.request_drain()
        await client.script.event(Draining)
        client.shutdown.request_stop()
        await client.task
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_two_clients_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        first = stage.client()
        second = stage.client(client_options(code=await first.script.code()))
        first.script.paste(await second.script.code())
        with pytest.raises(LinkError, match="not a relay"):
            await first.task
        with pytest.raises(LinkError):
            await second.task


async def test_a_destination_that_the_policy_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(policy=type(relay_options().policy)()))
        client = await stage.tunnel(relay)
        reply, _reader, writer = await socks_connect(proxy_port(client), "127.0.0.1", 80)
        assert reply == 2
        writer.close()


async def test_a_relay_may_not_use_the_clients_network(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        script = Script()
        meeting = Meeting(MemoryEngine(stage.network), LinkSettings(), script, script)
        inviting = asyncio.get_running_loop().create_task(meeting.invite())
        client = stage.client(client_options(code=await script.code()))
        script.paste(await client.script.code())
        met = await (await inviting).connect()
        session = session_on(met.link, Role.RELAY)
        await session.start()
        stream = await session.open_stream(Header(Service.TCP, Destination.parse_host("127.0.0.1", 80)))
        with pytest.raises(StreamResetError) as caught:
            await stream.read()
        assert caught.value.code == StreamCode.UNSUPPORTED
        await session.close()


async def test_a_command_stops_a_client_and_a_word_said_last_arrives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay()
        client = await stage.tunnel(relay, hub=HubOptions(directory=tmp_path / "mayfly"))
        async with await ControlClient.attach("client", tmp_path / "mayfly") as command:
            if not (await command.request("chat"))["who"]:
                while (await command.event() or {})["event"] != "joined":
                    pass
            await command.request("say", text="bye")
            await command.request("stop")
            await client.task
        assert (await relay.script.event(MessageReceived)).text == "bye"
        assert (await relay.script.event(Closed)).reason == "the client has left"
