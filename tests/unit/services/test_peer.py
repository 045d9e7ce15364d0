"""Two peers without a running program, over the memory engine: meeting, talking, and every way to end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mayfly.errors import ControlError, LinkError, LinkLostError, MistypedCodeError
from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.events import Closed, Connected, Draining, Leaving, MessageReceived
from mayfly.runtime.session import Session
from mayfly.services import peer
from mayfly.services.options import HubOptions
from support.programs_in_memory import UNATTENDED, Running, Stage, peer_options
from unit.services.tunnel import until

Work = Callable[[ControlClient], Awaitable[None]]


async def until_the_end(client: ControlClient) -> None:
    while await client.event() is not None:
        pass


async def stuck(_client: ControlClient) -> None:
    """A work that hears nothing."""
    await asyncio.Event().wait()


async def meet(stage: Stage, first: Work, second: Work) -> tuple[Running, Running]:
    """Two peers, met; each runs its work."""
    inviter = stage.peer(first)
    answerer = stage.peer(second, peer_options(code=await inviter.script.code()))
    inviter.script.paste(await answerer.script.code())
    await inviter.script.event(Connected)
    await answerer.script.event(Connected)
    return inviter, answerer


async def test_a_word_each_way_and_both_end_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(client: ControlClient) -> None:
        assert (await client.request("chat"))["who"] == ["peer-2"]  # nobody has chosen a name here
        said = await client.request("say", text="ping")
        assert (await until(client, "delivered"))["id"] == said["id"]
        assert (await until(client, "message"))["text"] == "pong"

    async def answer(client: ControlClient) -> None:
        missed = (await client.request("chat"))["missed"]
        heard = missed[0] if missed else await until(client, "message")
        assert heard["text"] == "ping"
        await client.request("say", text="pong")
        await until(client, "delivered")

    async with Stage(monkeypatch) as stage:
        first, second = await meet(stage, ask, answer)
        await asyncio.gather(first.task, second.task)
        assert first.script.all(Connected)[0].role == "peer"
        assert len(first.script.all(Closed)) == len(second.script.all(Closed)) == 1
        assert first.script.all(MessageReceived) == []  # the work has it; the reporter does not show it twice


async def test_both_have_their_names_from_the_first_thing_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "film.mkv").write_bytes(b"film")
    names: list[str] = []

    async def send(client: ControlClient) -> None:
        reply = await client.request("send", paths=[str(tmp_path / "film.mkv")])
        names.append(reply["transfers"][0]["to"])
        await until_the_end(client)

    async def receive(client: ControlClient) -> None:
        offers = (await client.request("receive"))["offers"]
        offer = offers[0] if offers else await until(client, "offered")
        names.append(offer["from"])

    async with Stage(monkeypatch) as stage:
        inviter = stage.peer(send, peer_options(hub=HubOptions(control=False, user="anna")))
        options = peer_options(code=await inviter.script.code(), hub=HubOptions(control=False, user="ben"))
        answerer = stage.peer(receive, options)
        inviter.script.paste(await answerer.script.code())
        await answerer.task
        await inviter.task
    assert sorted(names) == ["anna", "ben"]


async def test_a_message_said_at_the_very_end_is_still_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    async def say(client: ControlClient) -> None:
        await client.request("chat")
        await client.request("say", text="the last word")

    async def listen(client: ControlClient) -> None:
        await client.request("chat")
        heard.append((await until(client, "message"))["text"])

    async with Stage(monkeypatch) as stage:
        first, second = await meet(stage, say, listen)
        await asyncio.gather(first.task, second.task)
    assert heard == ["the last word"]


async def test_a_lost_link_is_an_error_and_the_work_hears_it_first(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def work(client: ControlClient) -> None:
        await client.request("chat")
        seen.append((await until(client, "closed"))["event"])

    async with Stage(monkeypatch) as stage:
        first, second = await meet(stage, work, work)
        stage.network.links[0][0].cut()
        for each in (first, second):
            with pytest.raises(LinkLostError, match="has ended"):
                await each.task
    assert seen == ["closed", "closed"]


async def test_a_work_that_hears_nothing_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "LINGER", 0.01)
    async with Stage(monkeypatch) as stage:
        first, second = await meet(stage, stuck, stuck)
        first.shutdown.request_drain()
        await first.script.event(Draining)
        await second.script.event(Leaving)
        await asyncio.gather(first.task, second.task)
        assert (await second.script.event(Closed)).reason == "the other side has left"


async def test_what_the_work_raises_ends_the_run_in_order_for_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_client: ControlClient) -> None:
        raise ControlError("No.")

    async with Stage(monkeypatch) as stage:
        first, second = await meet(stage, fail, until_the_end)
        with pytest.raises(ControlError, match="No"):
            await first.task
        await second.task


async def test_a_second_interrupt_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        first, _second = await meet(stage, stuck, until_the_end)
        first.shutdown.request_stop()
        async with asyncio.timeout(1.5):
            await first.task


async def test_a_second_interrupt_does_not_wait_for_a_far_end_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_arguments: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(peer, "HURRY", 0.01)
    async with Stage(monkeypatch) as stage:
        first, _second = await meet(stage, until_the_end, until_the_end)
        with monkeypatch.context() as patched:
            patched.setattr(Session, "close", never)
            first.shutdown.request_stop()
            async with asyncio.timeout(1.5):
                await first.task


async def test_leaving_while_a_code_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        alone = stage.peer(until_the_end)
        await alone.script.code()
        alone.shutdown.request_drain()
        await alone.task
        assert stage.network.offers[0].spent


async def test_a_relay_is_no_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        relay = stage.relay()
        alone = stage.peer(until_the_end, peer_options(code=await relay.script.code()))
        relay.script.paste(await alone.script.code())
        with pytest.raises(LinkError, match="not a peer") as caught:
            await alone.task
        assert "mayfly chat" in caught.value.hint


async def test_a_wrong_code_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Stage(monkeypatch) as stage:
        alone = stage.peer(until_the_end, peer_options(code="mf1nonsense"))
        with pytest.raises(MistypedCodeError):
            await alone.task


async def test_other_commands_can_attach_to_a_peer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with Stage(monkeypatch) as stage:
        first = stage.peer(until_the_end, peer_options(hub=HubOptions(directory=tmp_path / "mayfly")))
        await first.script.code()
        async with await ControlClient.attach(directory=tmp_path / "mayfly") as client:
            assert (await client.request("status"))["status"]["program"] == "peer"
            await client.request("stop")
            await first.task
    assert UNATTENDED.control is False
