"""The program's end of the control socket."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from mayfly.errors import CodeError, ControlError, ExitCode
from mayfly.runtime import control, control_socket
from mayfly.runtime.control import ControlConnection, ControlServer, Request
from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.jsonlines import JsonLines


class Program:
    """Serves what the test says."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.gone: list[ControlConnection] = []
        self.left = asyncio.Event()
        self.hold = asyncio.Event()
        self.asked = asyncio.Event()
        self.passed: list[bytes] = []
        self.server = ControlServer("relay", self.serve, self.on_gone)

    async def serve(self, connection: ControlConnection, request: Request) -> dict[str, Any]:
        self.requests.append(request)
        self.asked.set()
        match request.what:
            case "hold":
                await self.hold.wait()
            case "topic":
                connection.topics.add(request.needed("name"))
            case "refuse":
                raise CodeError("No code.", hint="Get one.")
            case "break":
                raise LookupError("secret detail")
            case "read":
                self.passed.append(os.read(request.descriptors[0], 100))
        return {"did": request.what}

    def on_gone(self, connection: ControlConnection) -> None:
        self.gone.append(connection)
        self.left.set()


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    started = Program()
    started.server.listen(directory=tmp_path / "mayfly")
    yield started
    await started.server.aclose()


Attach = Callable[[], Any]


@pytest.fixture
def attach(program: Program, tmp_path: Path) -> Attach:
    return lambda: ControlClient.attach(directory=tmp_path / "mayfly")


async def test_the_greeting_says_who_runs(program: Program, tmp_path: Path) -> None:
    lines = JsonLines(control_socket.connect(None, tmp_path / "mayfly"))
    assert await lines.read() == {"control": 1, "program": "relay", "session": "relay", "pid": os.getpid()}
    lines.close()


async def test_a_stranger_is_not_even_greeted(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: socket.socket) -> None:
        raise ControlError("The other end of the control socket belongs to another user.")

    monkeypatch.setattr("mayfly.runtime.control_socket.check_user", refuse)
    reader, writer = await asyncio.open_unix_connection(tmp_path / "mayfly" / "relay.sock")
    assert await reader.read() == b""
    assert not program.server.connections
    writer.close()
    await writer.wait_closed()


async def test_a_request_is_answered_with_what_was_served(program: Program, attach: Attach) -> None:
    async with await attach() as client:
        assert await client.request("look", at="this") == {"did": "look"}
        assert program.requests[0].needed("at") == "this"


async def test_a_refusal_keeps_its_words_stage_and_exit_code(attach: Attach) -> None:
    async with await attach() as client:
        with pytest.raises(ControlError) as caught:
            await client.request("refuse")
        error = caught.value
        assert (error.message, error.hint, error.stage) == ("No code.", "Get one.", "code")
        assert error.exit_code is ExitCode.BAD_CODE


async def test_a_bug_is_answered_without_its_detail_and_reported(attach: Attach) -> None:
    seen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: seen.append(context))
    async with await attach() as client:
        with pytest.raises(ControlError, match=r"^LookupError: this is a bug") as caught:
            await client.request("break")
        assert caught.value.exit_code is ExitCode.INTERNAL
        assert await client.request("look") == {"did": "look"}
    assert isinstance(seen[0]["exception"], LookupError)


async def test_a_slow_request_holds_up_no_other(program: Program, attach: Attach) -> None:
    async with await attach() as client, asyncio.TaskGroup() as group:
        slow = group.create_task(client.request("hold"))
        assert await client.request("look") == {"did": "look"}
        assert not slow.done()
        program.hold.set()


async def test_requests_are_bounded(program: Program, attach: Attach) -> None:
    async with await attach() as client, asyncio.TaskGroup() as group:
        for _ in range(control.MAX_REQUESTS + 5):
            group.create_task(client.request("hold"))
        async with asyncio.timeout(10):
            while len(program.requests) < control.MAX_REQUESTS:
                program.asked.clear()
                await program.asked.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(program.requests) == control.MAX_REQUESTS
        program.hold.set()


async def test_a_descriptor_reaches_its_request_and_is_closed_behind_it(program: Program, attach: Attach) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"from the command")
    os.close(writing)
    async with await attach() as client:
        await client.request("read", fds=[reading])
    os.close(reading)
    assert program.passed == [b"from the command"]
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(program.requests[0].descriptors[0])


@pytest.mark.parametrize("fds", [1, 5, -1, "x", True])
async def test_descriptors_that_did_not_come_are_refused(tmp_path: Path, program: Program, fds: object) -> None:
    lines = await _raw(tmp_path)
    lines.send({"request": "read", "id": 1, "fds": fds})
    reply = await lines.read()
    assert reply is not None
    assert reply["ok"] is False
    assert await lines.read() is None
    lines.close()


async def test_what_is_no_line_ends_the_connection_with_a_word(tmp_path: Path, program: Program) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(tmp_path / "mayfly" / "relay.sock"))
        sock.send(b"GET / HTTP/1.1\r\n")
        lines = JsonLines(sock.dup())
        assert (await lines.read() or {})["control"] == 1
        assert (await lines.read() or {})["ok"] is False
        assert await lines.read() is None
        lines.close()


async def test_events_reach_those_that_want_them(program: Program, attach: Attach) -> None:
    async with await attach() as first, await attach() as second:
        await first.request("topic", name="chat")
        await second.request("topic", name="files")
        program.server.publish({"event": "a"}, lambda connection: "chat" in connection.topics)
        program.server.publish({"event": "b"}, lambda _connection: True)
        assert [await first.event(), await first.event()] == [{"event": "a"}, {"event": "b"}]
        assert await second.event() == {"event": "b"}


async def test_a_command_that_leaves_is_forgotten_and_its_requests_end(program: Program, attach: Attach) -> None:
    client = await attach()
    asking = asyncio.get_running_loop().create_task(client.request("hold"))
    await program.asked.wait()
    await client.aclose()
    with pytest.raises(ControlError):
        await asking
    await program.left.wait()
    assert program.server.connections == set()


async def test_one_command_too_many_is_turned_away(
    monkeypatch: pytest.MonkeyPatch, program: Program, attach: Attach
) -> None:
    monkeypatch.setattr(control, "MAX_CONNECTIONS", 1)
    async with await attach():
        with pytest.raises(ControlError, match="does not answer"):
            await attach()
    await program.left.wait()


async def test_the_end_comes_behind_the_last_event_and_the_socket_is_gone(
    program: Program, attach: Attach, tmp_path: Path
) -> None:
    async with await attach() as client:
        program.server.publish({"event": "last"}, lambda _connection: True)
        await program.server.aclose()
        assert await client.event() == {"event": "last"}
        assert await client.event() is None
        with pytest.raises(ControlError, match="has ended"):
            await client.request("look")
    assert list((tmp_path / "mayfly").iterdir()) == []


async def test_a_command_that_does_not_read_does_not_hold_up_the_end(program: Program, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(tmp_path / "mayfly" / "relay.sock"))
        while not program.server.connections:
            await asyncio.sleep(0)
        program.server.publish({"pad": "x" * 2_000_000}, lambda _connection: True)
        await program.server.aclose(linger=0.01)
        assert program.server.connections == set()


async def test_a_command_in_this_process_is_joined_without_a_socket_in_the_file_system() -> None:
    program = Program()
    client = ControlClient(program.server.join())
    await client.start()
    assert await client.request("look") == {"did": "look"}
    await client.aclose()
    await program.server.aclose()


async def test_a_given_name_is_taken_exactly(program: Program, tmp_path: Path) -> None:
    other = Program()
    with pytest.raises(ControlError, match="runs already"):
        other.server.listen("relay", tmp_path / "mayfly")
    other.server.listen("mine", tmp_path / "mayfly")
    assert control_socket.running(tmp_path / "mayfly") == ["mine", "relay"]
    await other.server.aclose()


def test_a_requests_members_are_checked() -> None:
    request = Request({"request": "x", "text": "t", "flag": True, "list": ["a"], "number": 3, "null": None}, [])
    assert (request.text("text"), request.flag("flag"), request.number("number")) == ("t", True, 3)
    assert (request.texts("list"), request.texts("null"), request.text("none")) == (["a"], None, None)
    assert not request.flag("none")
    wrong: list[Callable[[], object]] = [
        lambda: request.text("number"),
        lambda: request.flag("text"),
        lambda: request.number("flag"),
        lambda: request.texts("text"),
        lambda: request.needed("null"),
        lambda: Request({"list": [1]}, []).texts("list"),
    ]
    for call in wrong:
        with pytest.raises(ControlError):
            call()


async def _raw(tmp_path: Path) -> JsonLines:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(tmp_path / "mayfly" / "relay.sock"))
    lines = JsonLines(sock)
    await lines.read()
    return lines
