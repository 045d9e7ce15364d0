"""The hub of whole programs: status, chat and stop over the control socket, and what the program's reporter hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mayfly.errors import ControlError, StreamCode, StreamResetError
from mayfly.runtime import control_socket
from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.events import Closed, Connected, Draining, MessageReceived, Warned
from mayfly.runtime.shutdown import Shutdown
from mayfly.services.hub import Hub
from mayfly.services.options import HubOptions
from mayfly.wire.header import Header, Service
from support.programs_in_memory import Running, Script, Stage, relay_options
from support.sessions import joined
from unit.services.tunnel import Tunnel, tunnel, until


@asynccontextmanager
async def attached(t: Tunnel) -> AsyncIterator[tuple[ControlClient, ControlClient]]:
    """A command at each end, attached for chat, each of which sees the other."""
    async with await t.at_relay() as relay, await t.at_client() as client:
        for each in (relay, client):
            if not (await each.request("chat"))["who"]:
                await until(each, "joined")
        yield relay, client


@pytest.mark.parametrize(("control", "found"), [(True, ["relay"]), (False, [])])
async def test_a_program_without_a_control_socket_is_not_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, control: bool, found: list[str]
) -> None:
    directory = tmp_path / "mayfly"
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(hub=HubOptions(directory=directory, control=control)))
        await stage.tunnel(relay)
        assert control_socket.running(directory) == found


async def test_status_says_who_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with tunnel(monkeypatch, tmp_path) as t, attached(t) as (relay, _client):
        status = (await relay.request("status"))["status"]
        assert (status["event"], status["program"], status["session"]) == ("status", "relay", "relay")
        assert (status["draining"], status["name"], status["who"]) == (False, "relay", ["client"])
        (peer,) = status["peers"]
        assert (peer["peer"], peer["role"], peer["name"], peer["streams"]) == (1, "client", "client", 0)
        assert set(peer) == {
            "peer", "role", "name", "path", "rtt_ms", "streams", "sent", "received", "seconds"
        }  # fmt: skip


async def test_a_word_each_way_is_told_to_commands_and_to_the_programs_reporter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with tunnel(monkeypatch, tmp_path) as t, attached(t) as (relay, client):
        said = await client.request("say", text="hello")
        assert said["to"] == ["relay"]
        message = await until(relay, "message")
        assert (message["from"], message["text"], message["to"]) == ("client", "hello", None)
        assert (await until(client, "delivered"))["id"] == said["id"]
        await relay.request("say", text="psst", to="client")
        assert (await until(client, "message"))["to"] == "client"
        assert (await t.relay.script.event(MessageReceived)).text == "hello"


async def test_what_came_before_anybody_attached_is_given_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as client:
        while not (await client.request("chat"))["who"]:
            await until(client, "joined")
        await client.request("say", text="early")
        await until(client, "delivered")
        async with await t.at_relay() as relay:
            (missed,) = (await relay.request("chat"))["missed"]
            assert missed["text"] == "early"
            assert (await relay.request("chat"))["missed"] == []


async def test_stop_drains_and_the_end_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_relay() as relay, await t.at_client() as client:
        await client.request("watch")
        await relay.request("stop")
        await until(relay, "draining")
        await until(relay, "closed", peer=1)
        assert await relay.event() is None
        await t.relay.task
        assert (await until(client, "leaving"))["reason"] == "the volunteer is leaving"
        await t.client.task
        assert list((tmp_path / "mayfly").iterdir()) == []


async def test_stop_now_does_not_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with tunnel(monkeypatch, tmp_path, grace=3600.0) as t, await t.at_relay() as relay:
        await relay.request("stop", now=True)
        async with asyncio.timeout(5):
            await t.relay.task
        assert t.relay.shutdown.stop.is_set()


async def test_the_chat_goes_on_while_a_program_drains_and_does_not_keep_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with tunnel(monkeypatch, tmp_path) as t, attached(t) as (_relay, client):
        await client.request("say", text="bye")
        t.client.shutdown.request_drain()
        assert (await t.client.script.event(Draining)).streams == 0
        async with asyncio.timeout(4):  # less than the grace
            await t.client.task
        assert (await t.relay.script.event(MessageReceived)).text == "bye"


async def test_a_lost_link_is_said_with_what_it_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with tunnel(monkeypatch, tmp_path) as t, attached(t) as (relay, _client):
        near, _far = t.stage.network.links[0]
        near.silence()
        said = await relay.request("say", text="too late")
        near.cut()
        await until(relay, "left")
        lost: dict[str, Any] = await until(relay, "undelivered")
        assert (lost["id"], lost["to"], lost["final"]) == (said["id"], "client", False)
        await t.relay.script.event(Closed)
        await asyncio.wait([t.client.task])
        t.client.task.exception()


async def test_unknown_requests_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_relay() as relay:
        for what in ("", "nonsense", "_stop"):
            with pytest.raises(ControlError, match="does not know"):
                await relay.request(what)


async def _listening(running: Running, path: Path) -> None:
    while not path.exists():
        assert not running.task.done()
        await asyncio.sleep(0.01)


async def test_a_program_goes_on_without_a_control_socket_unless_it_was_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    async with Stage(monkeypatch) as stage:
        relay = stage.relay(relay_options(hub=HubOptions(directory=tmp_path / "open")))
        assert (await relay.script.event(Warned)).stage == "control"
        await relay.script.code()
        named = stage.relay(relay_options(hub=HubOptions(directory=tmp_path / "open", session="mine")))
        with pytest.raises(ControlError, match="can be used by others"):
            await named.task


async def test_a_named_session_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with Stage(monkeypatch) as stage:
        options = HubOptions(directory=tmp_path / "mayfly", session="mine", user="Anna")
        running = stage.relay(relay_options(hub=options))
        await _listening(running, tmp_path / "mayfly" / "mine.sock")
        async with await ControlClient.attach("mine", tmp_path / "mayfly") as client:
            assert (await client.request("who"))["name"] == "Anna"


async def test_streams_before_the_peer_is_joined_wait_and_after_it_left_are_reset() -> None:
    script = Script()
    async with Hub("client", script, Shutdown(), HubOptions(control=False)) as hub:
        place = hub.place(1)
        async with joined(on_client_stream=place.on_stream) as (near, far):
            early = await far.session.open_stream(Header(Service.CHAT))
            await asyncio.sleep(0)
            place.join(near.session, near.session.peer)
            assert (await early.read_answer()).reply == 0
            await place.leave()
            await place.leave()
            late = await far.session.open_stream(Header(Service.CHAT))
            with pytest.raises(StreamResetError) as caught:
                await late.read_answer()
            assert caught.value.code == StreamCode.DRAINING
            assert hub.places == {}


async def test_a_quiet_hub_tells_its_commands_alone() -> None:
    script = Script()
    async with Hub("peer", script, Shutdown(), HubOptions(control=False), quiet=True) as hub:
        client = await hub.join()
        await client.request("watch")
        hub.tell(MessageReceived("a", None, "x", 0, "1"))
        hub.report(Warned("chat", "y"))
        assert ((await client.event()) or {})["event"] == "message"
        assert ((await client.event()) or {})["event"] == "warning"
        assert script.events == [Warned("chat", "y")]
        await client.aclose()
    assert script.all(Connected) == []
