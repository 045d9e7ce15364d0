"""Transfers of whole programs, over the memory engine and real disks: offered, accepted, steered, and every end."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from mayfly.errors import ControlError
from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.events import Connected, Draining
from mayfly.services import talk, transfers
from mayfly.services.options import HubOptions
from mayfly.services.turns import Turns
from mayfly_relay.limits import RelayLimits
from support.programs_in_memory import Stage, client_options, relay_options
from unit.services.tunnel import offers, tunnel, until


def file(folder: Path, name: str, size: int) -> Path:
    path = folder / name
    path.write_bytes(os.urandom(size))
    return path


async def test_a_file_is_offered_accepted_and_arrives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source, into = file(tmp_path, "picture", 3_000_000), tmp_path / "into"
    into.mkdir()
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender, await t.at_relay() as receiver:
        assert await receiver.request("receive") == {"offers": []}
        reply = await sender.request("send", paths=[str(source)])
        (sent,) = reply["transfers"]
        assert (sent["peer"], reply["total"], reply["files"], reply["left_out"]) == (1, 3_000_000, 1, [])
        offered = await until(receiver, "offered")
        assert (offered["name"], offered["size"], offered["files"]) == ("picture", 3_000_000, 1)
        assert offered["from"] == "client"
        assert offered["transfer"] == sent["transfer"]
        assert list(into.iterdir()) == []
        await receiver.request("accept", transfer=offered["transfer"], into=str(into))
        for each in (sender, receiver):
            await until(each, "transfer", state="accepted")
            assert (await until(each, "progress", bytes=3_000_000))["total"] == 3_000_000
            assert (await until(each, "transfer", state="completed"))["reason"] == ""
        assert (into / "picture").read_bytes() == source.read_bytes()
        assert (await receiver.request("status"))["status"]["transfers"] == []


async def test_nothing_is_accepted_by_itself_and_an_offer_waits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = file(tmp_path, "x", 10)
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_relay() as sender:
        (sent,) = (await sender.request("send", paths=[str(source)]))["transfers"]
        async with await t.at_client() as receiver:
            await receiver.request("watch")
            found = await offers(receiver)
            assert found[0]["transfer"] == sent["transfer"]
            (status,) = (await receiver.request("status"))["status"]["transfers"]
            assert (status["state"], status["direction"], status["bytes"]) == ("offered", "in", 0)
            await receiver.request("decline", transfer=sent["transfer"])
            await until(receiver, "transfer", state="declined")
            with pytest.raises(ControlError, match="does not wait"):
                await receiver.request("accept", transfer=sent["transfer"], into="/")
        await until(sender, "transfer", state="declined")


async def test_a_command_that_takes_all_takes_what_waits_and_what_comes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    into = tmp_path / "into"
    into.mkdir()
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender:
        await sender.request("send", paths=[str(file(tmp_path, "one", 100))])
        async with await t.at_relay() as receiver:
            await offers(receiver)
            await receiver.request("receive", yes=True, into=str(into))
            await until(receiver, "transfer", state="completed")
            await sender.request("send", paths=[str(file(tmp_path, "two", 100))])
            await until(receiver, "transfer", state="completed")
        assert sorted(path.name for path in into.iterdir()) == ["one", "two"]
        await sender.request("send", paths=[str(file(tmp_path, "three", 100))])
        async with await t.at_relay() as receiver:
            await offers(receiver)  # the command that took all has left


async def test_a_program_that_was_started_so_accepts_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    hub = HubOptions(directory=tmp_path / "mayfly", accept_into=into)
    async with tunnel(monkeypatch, tmp_path, hub=hub) as t, await t.at_client() as sender:
        await sender.request("send", paths=[str(file(tmp_path, "x", 100))])
        await until(sender, "transfer", state="completed")
        assert (into / "x").exists()


async def test_a_text_arrives_as_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = "\x1b[31m\u202e" * 1000
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender, await t.at_relay() as receiver:
        await receiver.request("receive", yes=True, into=str(tmp_path))
        await sender.request("send", text=words)
        assert (await until(receiver, "offered"))["kind"] == "text"
        assert (await until(receiver, "transfer", state="completed"))["text"] == words


async def test_standard_input_to_standard_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    out_reading, out_writing = os.pipe()
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender, await t.at_relay() as receiver:
        await receiver.request("receive")
        await sender.request("send", fds=[reading], name="backup.tar")
        os.close(reading)
        offered = await until(receiver, "offered")
        assert (offered["name"], offered["size"], offered["kind"]) == ("backup.tar", None, "stdin")
        await receiver.request("accept", transfer=offered["transfer"], fds=[out_writing])
        os.close(out_writing)
        os.write(writing, b"some bytes")
        os.close(writing)
        await until(receiver, "transfer", state="completed")
        await until(sender, "transfer", state="completed")
        assert os.read(out_reading, 100) == b"some bytes"
        assert os.read(out_reading, 100) == b""  # our copy of its other end is closed
    os.close(out_reading)


async def test_either_side_pauses_resumes_and_cancels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    into = tmp_path / "into"
    into.mkdir()
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender, await t.at_relay() as receiver:
        await receiver.request("receive", yes=True, into=str(into))
        (sent,) = (await sender.request("send", fds=[reading]))["transfers"]
        os.close(reading)
        number = sent["transfer"]
        await until(sender, "transfer", state="accepted")
        await sender.request("pause", transfer=number)
        assert (await until(receiver, "transfer", state="paused"))["reason"] == "by the other side"
        assert (await sender.request("status"))["status"]["transfers"][0]["state"] == "paused"
        await receiver.request("pause", transfer=number, peer=1)
        assert (await until(receiver, "transfer", state="paused"))["reason"] == "by both sides"
        await sender.request("resume", transfer=number)
        await receiver.request("resume", transfer=number)
        await until(sender, "transfer", state="resumed")
        await until(receiver, "transfer", state="resumed")
        await receiver.request("cancel", transfer=number)
        await until(sender, "transfer", state="cancelled")
        await until(receiver, "transfer", state="cancelled")
        with pytest.raises(ControlError, match="no such transfer"):
            await sender.request("pause", transfer=number)
    os.close(writing)
    assert list(into.iterdir()) == []


async def test_a_peer_that_pauses_all_the_time_is_told_now_and_then(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender, await t.at_relay() as receiver:
        await receiver.request("receive", yes=True, into=str(tmp_path))
        number = (await sender.request("send", fds=[reading]))["transfers"][0]["transfer"]
        os.close(reading)
        await until(receiver, "transfer", state="accepted")
        for _ in range(30):
            await sender.request("pause", transfer=number)
            await sender.request("resume", transfer=number)
        await sender.request("pause", transfer=number)  # the last word is told, if a little later
        while (await receiver.request("status"))["status"]["transfers"][0]["state"] != "paused":
            await asyncio.sleep(0.01)
        await sender.request("cancel", transfer=number)
        states: list[str] = []
        while "cancelled" not in states:
            states.append((await until(receiver, "transfer"))["state"])
        assert len(states) < 40
        assert states[-2:] == ["paused", "cancelled"]
    os.close(writing)


async def test_an_offer_that_is_taken_back_waits_no_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender, await t.at_relay() as receiver:
        await receiver.request("receive")
        (sent,) = (await sender.request("send", paths=[str(file(tmp_path, "x", 9))]))["transfers"]
        await until(receiver, "offered")
        await sender.request("cancel", transfer=sent["transfer"])
        await until(receiver, "transfer", state="cancelled")
        await until(sender, "transfer", state="cancelled")
        assert (await receiver.request("receive"))["offers"] == []


async def test_one_relay_sends_to_all_its_clients_and_reads_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = file(tmp_path, "x", 2_500_000)
    folders = [tmp_path / "first", tmp_path / "second"]
    hub = HubOptions(directory=tmp_path / "mayfly")
    async with tunnel(monkeypatch, tmp_path) as t:
        await t.stage.tunnel(t.relay, hub=hub)
        async with await t.at_relay() as sender:
            for folder in folders:
                folder.mkdir()
            async with await t.at_client() as first, await t.at_client("client-2") as second:
                await first.request("receive", yes=True, into=str(folders[0]))
                await second.request("receive", yes=True, into=str(folders[1]))
                with pytest.raises(ControlError, match="Several are connected"):
                    await sender.request("send", paths=[str(source)])
                reply = await sender.request("send", paths=[str(source)], all=True)
                assert [each["peer"] for each in reply["transfers"]] == [1, 2]
                assert len({each["transfer"] for each in reply["transfers"]}) == 1
                ends = [await until(sender, "transfer", state="completed") for _ in range(2)]
                assert {end["peer"] for end in ends} == {1, 2}
    for folder in folders:
        assert (folder / "x").read_bytes() == source.read_bytes()


async def test_only_who_is_meant_is_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def silent(*_: object) -> None:
        return

    x = str(file(tmp_path, "x", 9))
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_relay() as sender:
        while (await sender.request("who"))["who"] != ["client"]:
            await asyncio.sleep(0)
        monkeypatch.setattr(talk, "NAMING", 1000.0)
        monkeypatch.setattr(talk.Talk, "_speak", silent)
        await t.stage.tunnel(t.relay)  # who never says a name
        async with asyncio.timeout(20):
            for to in ("client", 1):
                reply = await sender.request("send", paths=[x], to=to)
                assert [each["peer"] for each in reply["transfers"]] == [1]
                await sender.request("cancel", transfer=reply["transfers"][0]["transfer"])
                await until(sender, "transfer", state="cancelled")


async def test_a_name_that_is_another_ones_number_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    x = str(file(tmp_path, "x", 9))
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_relay() as sender:
        for nick in ("1", "3"):
            await t.stage.tunnel(t.relay, hub=HubOptions(control=False, user=nick))
        while len((await sender.request("who"))["who"]) < 3:
            await asyncio.sleep(0)
        with pytest.raises(ControlError, match="One has this number"):
            await sender.request("send", paths=[x], to="1")
        with pytest.raises(ControlError, match="Nobody of that name"):
            await sender.request("send", paths=[x], to="9" * 5000)
        for to in ("2", "3"):  # a number that is no name, or its own
            reply = await sender.request("send", paths=[x], to=to)
            assert reply["transfers"][0]["peer"] == int(to)
            await sender.request("cancel", transfer=reply["transfers"][0]["transfer"])
            await until(sender, "transfer", state="cancelled")


async def test_draining_waits_for_a_transfer_and_takes_offers_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    into = tmp_path / "into"
    into.mkdir()
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender, await t.at_relay() as receiver:
        await receiver.request("receive")
        await sender.request("send", fds=[reading], name="piped")
        os.close(reading)
        offered = await until(receiver, "offered")
        await sender.request("send", paths=[str(file(tmp_path, "late", 9))])
        await until(receiver, "offered")
        await receiver.request("accept", transfer=offered["transfer"], into=str(into))
        await until(sender, "transfer", state="accepted")
        await sender.request("stop")
        await t.client.script.event(Draining)
        await until(sender, "transfer", state="interrupted")
        with pytest.raises(ControlError, match="leaving"):
            await sender.request("send", paths=[str(tmp_path / "late")])
        os.write(writing, b"to the end")
        os.close(writing)
        await until(sender, "transfer", state="completed")
        await t.client.task
        assert [path.read_bytes() for path in into.iterdir()] == [b"to the end"]


async def test_a_lost_link_interrupts_and_the_same_send_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source, into = file(tmp_path, "big", 9_000_000), tmp_path / "into"
    into.mkdir()
    hub = HubOptions(directory=tmp_path / "mayfly")
    slow = RelayLimits(max_rate=6_000_000.0)
    async with tunnel(monkeypatch, tmp_path, limits=slow) as t, await t.at_relay() as receiver:
        await receiver.request("receive", yes=True, into=str(into))
        async with await t.at_client() as sender:
            await sender.request("send", paths=[str(source)])
            while (await until(receiver, "progress"))["bytes"] < 1_000_000:
                pass
            t.stage.network.links[0][0].cut()
            assert (await until(sender, "transfer", state="interrupted"))["reason"] == "the link was lost"
        await until(receiver, "transfer", state="interrupted")
        assert not (into / "big").exists()
        await asyncio.wait([t.client.task])
        await t.stage.tunnel(t.relay, hub=hub)
        async with await t.at_client() as sender:
            await sender.request("send", paths=[str(source)])
            first = await until(receiver, "progress")
            assert first["bytes"] >= 1_000_000
            await until(sender, "transfer", state="completed")
        assert (into / "big").read_bytes() == source.read_bytes()


async def test_too_many_offers_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(transfers, "MAX_INCOMING", 1)
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender:
        await sender.request("send", paths=[str(file(tmp_path, "one", 9))])
        async with await t.at_relay() as receiver:
            await offers(receiver)
        await sender.request("send", paths=[str(file(tmp_path, "two", 9))])
        assert "no more" in (await until(sender, "transfer", state="declined"))["reason"]


async def test_one_offer_after_the_other_waits_its_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken: list[int] = []

    def turn(_self: Turns, peer: int, _now: float) -> float:
        taken.append(peer)
        return 0.0 if len(taken) == 1 else 3600.0

    monkeypatch.setattr(Turns, "take", turn)
    monkeypatch.setattr(transfers, "MAX_INCOMING", 3)
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender:
        await sender.request("send", paths=[str(file(tmp_path, "one", 9))])
        async with await t.at_relay() as receiver:
            await offers(receiver)
            for name in ("two", "three", "four"):  # the last is one more than may wait
                await sender.request("send", paths=[str(file(tmp_path, name, 9))])
            assert "no more" in (await until(sender, "transfer", state="declined"))["reason"]
            assert [offer["name"] for offer in await offers(receiver)] == ["one"]
    assert taken == [1, 1, 1]


async def test_what_cannot_be_sent_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    x = str(file(tmp_path, "x", 9))
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "nothing to send"),
        ({"paths": ["relative"]}, "not absolute"),
        ({"paths": [str(tmp_path / "missing")]}, "missing"),
        ({"paths": [x], "to": "zoe"}, "Nobody of that name"),
        ({"paths": [x], "to": 7}, "Nobody of that name"),
        ({"paths": "x"}, "wrong type"),
    ]
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender:
        for members, words in wrong:
            with pytest.raises(ControlError, match=words):
                await sender.request("send", **members)
        await sender.request("send", paths=[x], to="1")
        with pytest.raises(ControlError, match="already"):
            await sender.request("send", paths=[x], to=1)
        with pytest.raises(ControlError, match="absolute"):
            await sender.request("receive", yes=True, into="relative")


async def test_nobody_is_there_to_send_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with Stage(monkeypatch) as stage:
        stage.relay(relay_options(hub=HubOptions(directory=tmp_path / "mayfly")))
        while not (tmp_path / "mayfly" / "relay.sock").exists():
            await asyncio.sleep(0.01)
        async with await ControlClient.attach(directory=tmp_path / "mayfly") as sender:
            with pytest.raises(ControlError, match="Nobody is connected"):
                await sender.request("send", text="x")


async def test_descriptors_do_not_leak(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = file(tmp_path, "x", 2_000_000)
    async with tunnel(monkeypatch, tmp_path) as t, await t.at_client() as sender, await t.at_relay() as receiver:
        await receiver.request("receive", yes=True, into=str(tmp_path), overwrite=True)
        counts = []
        for _ in range(3):
            await sender.request("send", paths=[str(source)])
            await until(sender, "transfer", state="completed")
            await until(receiver, "transfer", state="completed")
            counts.append(len(list(Path("/proc/self/fd").iterdir())))
        assert counts[0] == counts[2]
    assert len(t.relay.script.all(Connected)) == 1
    assert client_options().hub.accept_into is None
