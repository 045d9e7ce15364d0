"""A command's end of the control socket, against a program that the test plays."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mayfly.errors import ControlError, ExitCode
from mayfly.runtime import control_client
from mayfly.runtime.control_client import ControlClient, RefusedError
from mayfly.runtime.jsonlines import JsonLines

GREETING: dict[str, Any] = {"control": 1, "program": "relay", "session": "relay", "pid": 1}


@pytest.fixture
async def ends() -> AsyncIterator[tuple[ControlClient, JsonLines]]:
    near, far = socket.socketpair(socket.AF_UNIX)
    client, program = ControlClient(near), JsonLines(far)
    program.send(GREETING)
    await client.start()
    yield client, program
    await client.aclose()
    program.close()


Ends = tuple[ControlClient, JsonLines]


async def test_replies_find_their_requests_in_any_order(ends: Ends) -> None:
    client, program = ends
    async with asyncio.TaskGroup() as group:
        first = group.create_task(client.request("first"))
        second = group.create_task(client.request("second"))
        asked = [await program.read(), await program.read()]
        assert [request and request["request"] for request in asked] == ["first", "second"]
        for request in reversed(asked):
            assert request is not None
            program.send({"reply": request["id"], "ok": True, "to": request["request"]})
    assert (first.result(), second.result()) == ({"to": "first"}, {"to": "second"})


async def test_a_program_that_ends_fails_what_waits(ends: Ends) -> None:
    client, program = ends
    asking = asyncio.get_running_loop().create_task(client.request("x"))
    waiting = asyncio.get_running_loop().create_task(client.event())
    await program.read()
    program.close()
    with pytest.raises(ControlError, match="has ended"):
        await asking
    assert await waiting is None


async def test_replies_that_nobody_awaits_are_ignored(ends: Ends) -> None:
    client, program = ends
    program.send({"reply": 99, "ok": True})
    program.send({"event": "x"})
    assert await client.event() == {"event": "x"}


async def test_events_beyond_the_bound_wait_in_the_program(monkeypatch: pytest.MonkeyPatch, ends: Ends) -> None:
    monkeypatch.setattr(control_client, "MAX_EVENTS", 2)
    client, program = ends
    for number in range(5):
        program.send({"event": number})
    for _ in range(20):
        await asyncio.sleep(0)
    asking = asyncio.get_running_loop().create_task(client.request("x"))  # a reply behind them is still found
    request = await program.read()
    assert request is not None
    program.send({"reply": request["id"], "ok": True})
    async with asyncio.timeout(5):
        await asking
    assert [(await client.event() or {})["event"] for _ in range(5)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("first", [{"control": 2}, {}, {"event": "x"}])
async def test_another_version_is_refused(first: dict[str, Any]) -> None:
    near, far = socket.socketpair(socket.AF_UNIX)
    client, program = ControlClient(near), JsonLines(far)
    program.send(first)
    with pytest.raises(ControlError, match="does not answer"):
        await client.start()
    program.close()


async def test_a_program_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_client, "GREETING_TIMEOUT", 0.01)
    near, far = socket.socketpair(socket.AF_UNIX)
    with pytest.raises(ControlError, match="does not answer"):
        await ControlClient(near).start()
    far.close()


def test_a_refusal_with_an_unknown_exit_code_is_a_usage_error() -> None:
    assert RefusedError.of({"exit": 77}).exit_code is ExitCode.USAGE
    assert RefusedError.of({"exit": 5, "message": "m"}).exit_code is ExitCode.LINK_LOST
