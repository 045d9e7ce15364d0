"""Transfers from their beginning to their end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mayfly.errors import ExitCode
from mayfly.runtime.shutdown import Shutdown
from mayfly_cli.following import Following
from unit.cli.played import TRANSFER, Listener, Played, change, progress


async def follow(
    *events: dict[str, Any], peers: int = 1, machines: bool = True, own: bool = False, ended: bool = False
) -> tuple[int, Listener]:
    played, listener, shutdown = Played(), Listener(), Shutdown()
    played.then["who"] = list(events)
    played.end_after = "who" if ended else None
    teller = listener.machines if machines else listener.people
    async with played.desk(teller, own=own) as desk:
        following = Following(desk, teller, shutdown, keys=None)
        for peer in range(1, peers + 1):
            following.add(TRANSFER, peer)
            listener.people.conversation.tally.begin(TRANSFER, peer, outgoing=True, name="film.mkv", who="anna")
        await desk.request("who")
        return await following.to_the_end(), listener


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("completed", ExitCode.OK),
        ("declined", ExitCode.DECLINED),
        ("cancelled", ExitCode.CANCELLED),
        ("interrupted", ExitCode.INCOMPLETE),
    ],
)
async def test_each_end_has_its_exit_code(state: str, code: ExitCode) -> None:
    assert (await follow(change("accepted"), progress(1), change(state)))[0] == code


async def test_the_worst_of_several_counts_and_all_are_waited_for() -> None:
    code, listener = await follow(change("declined"), change("completed", peer=2), peers=2)
    assert code == ExitCode.DECLINED
    assert len(listener.events) == 2


async def test_other_transfers_are_not_ours() -> None:
    other = {**change("cancelled"), "transfer": "cd" * 16}
    assert (await follow(other, change("cancelled", peer=9), change("completed")))[0] == ExitCode.OK


async def test_a_program_that_dies_leaves_it_incomplete() -> None:
    code, listener = await follow(change("accepted"), ended=True)
    assert code == ExitCode.INCOMPLETE
    assert listener.events[-1]["state"] == "interrupted"


async def test_people_see_how_it_went() -> None:
    code, listener = await follow(change("accepted"), progress(2000), change("completed"), machines=False)
    assert code == ExitCode.OK
    assert "film.mkv to anna: accepted" in listener.out
    assert "film.mkv to anna: complete, 2.0 kB; all hashes are right" in listener.out


async def test_a_text_is_kept() -> None:
    played, listener = Played(), Listener()
    played.then["who"] = [{**change("completed"), "text": "hello"}]
    async with played.desk(listener.machines) as desk:
        following = Following(desk, listener.machines, Shutdown(), keys=None)
        following.add(TRANSFER, 1)
        await desk.request("who")
        await following.to_the_end()
    assert following.text == "hello"


@pytest.mark.parametrize(("before", "asked"), [([], ["cancel"]), ([change("accepted")], [])])
async def test_ctrl_c_takes_back_what_waits_and_leaves_what_runs(
    before: list[dict[str, Any]], asked: list[str]
) -> None:
    played, listener, shutdown = Played(), Listener(), Shutdown()
    played.then["who"] = before
    async with played.desk(listener.machines) as desk:
        following = Following(desk, listener.machines, shutdown, keys=None)
        following.add(TRANSFER, 1)
        await desk.request("who")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(following.to_the_end())
            while len(listener.events) < len(before):
                await asyncio.sleep(0)
            shutdown.request_drain()
        assert task.result() == ExitCode.INTERRUPTED
    assert [request["request"] for request in played.requests] == ["who", *asked]
    warnings = [event["message"] for event in listener.events if event["event"] == "warning"]
    assert warnings == ([] if asked else ["The transfer goes on in the running program."])


async def test_ctrl_c_with_a_program_of_our_own_is_that_program_s() -> None:
    played, listener, shutdown = Played(), Listener(), Shutdown()
    shutdown.request_drain()
    played.then["who"] = [change("interrupted", "leaving")]
    async with played.desk(listener.machines, own=True) as desk:
        following = Following(desk, listener.machines, shutdown, keys=None)
        following.add(TRANSFER, 1)
        await desk.request("who")
        assert await following.to_the_end() == ExitCode.INCOMPLETE


async def test_a_second_ctrl_c_waits_for_nothing() -> None:
    played, listener, shutdown = Played(), Listener(), Shutdown()
    shutdown.request_stop()
    async with played.desk(listener.machines, own=True) as desk:
        following = Following(desk, listener.machines, shutdown, keys=None)
        following.add(TRANSFER, 1)
        assert await following.to_the_end() == ExitCode.INTERRUPTED


@pytest.mark.parametrize(("key", "what"), [("p", "pause"), ("R", "resume"), ("c", "cancel")])
async def test_keys_steer_every_transfer(key: str, what: str) -> None:
    played, listener = Played(), Listener()
    async with played.desk(listener.machines) as desk:
        following = Following(desk, listener.machines, Shutdown(), keys=None)
        following.add(TRANSFER, 1)
        following.add(TRANSFER, 2)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(following.to_the_end())
            following._pressed("x")
            following._pressed(key)
            await played.until_asked(what)
            played.tell(change("completed"), change("completed", peer=2))
        assert task.result() == ExitCode.OK
    assert played.requests == [{"request": what, "transfer": TRANSFER, "peer": peer} for peer in (1, 2)]
