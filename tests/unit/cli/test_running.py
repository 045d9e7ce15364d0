"""How a command runs a program: exit codes, signals, outputs that go away, and what is logged."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal

import pytest

from mayfly.errors import ConnectError, LinkLostError, ListenError, MayflyError
from mayfly.runtime.events import CodeReader, Connected, Draining, Reporter, Words
from mayfly.runtime.shutdown import Shutdown
from mayfly.signaling.description import Kind
from mayfly_cli import loop, running
from mayfly_cli.machines import Machines
from unit.cli import samples
from unit.cli.conftest import Command, FakeProgram, Typing


@pytest.mark.parametrize(
    ("error", "code", "stage"),
    [
        (ConnectError("never met", hint="retry"), 4, "connect"),
        (LinkLostError("gone"), 5, "link"),
        (ListenError("taken"), 6, "listen"),
        (ExceptionGroup("", [ListenError("taken")]), 6, "listen"),
        (RuntimeError("203.0.113.7"), 1, "internal"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_a_program_raises_becomes_an_event_and_an_exit_code(
    mayfly: Command, relay_program: FakeProgram, error: Exception, code: int, stage: str, form: tuple[str, ...]
) -> None:
    def then(*_: object) -> None:
        raise error

    relay_program.then = then
    result = mayfly("relay", *form)
    assert result.exit_code == code
    assert "Traceback" not in result.output
    assert "203.0.113.7" not in result.output
    if form:
        assert json.loads(result.stdout)["stage"] == stage
        assert result.stderr == ""
    else:
        assert result.stderr.startswith(f"error ({stage}): ")
        assert result.stdout == ""


def test_a_bug_shows_its_traceback_when_asked(mayfly: Command, relay_program: FakeProgram) -> None:
    def then(*_: object) -> None:
        raise RuntimeError("the reason")

    relay_program.then = then
    result = mayfly("relay", "--verbose", "--json")
    assert result.exit_code == 1
    assert "the reason" in result.stderr
    assert "Traceback" not in result.stdout


@pytest.mark.parametrize(("presses", "code"), [(1, 0), (2, 130)])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_ctrl_c_drains_and_a_second_one_stops(
    mayfly: Command, relay_program: FakeProgram, presses: int, code: int, loop: str
) -> None:
    async def then(reporter: Reporter, _: CodeReader, shutdown: Shutdown) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await shutdown.drain.wait()
        reporter.report(Draining(0, 0.0))
        if presses == 2:
            os.kill(os.getpid(), signal.SIGINT)
            await shutdown.stop.wait()
            raise LinkLostError("we hung up")

    relay_program.then = then
    before = signal.getsignal(signal.SIGINT)
    result = mayfly("relay", "--json", "--loop", loop)
    assert result.exit_code == code
    assert [json.loads(line)["event"] for line in result.stdout.splitlines()] == ["draining"]
    assert signal.getsignal(signal.SIGINT) is before
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_ctrl_c_before_there_is_a_code_ends_at_once(
    mayfly: Command, relay_program: FakeProgram, type_in: Typing, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    async def pressed(*_: object) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(running, "given", pressed)
    result = mayfly("relay", "-", "--loop", loop)
    assert result.exit_code == 130
    assert result.output == ""
    assert relay_program.options == []


@pytest.mark.parametrize(("connected", "code"), [(False, 130), (True, 0)])
def test_a_client_that_leaves_before_it_is_connected_was_interrupted(
    mayfly: Command, client_program: FakeProgram, connected: bool, code: int
) -> None:
    async def then(reporter: Reporter, _: CodeReader, shutdown: Shutdown) -> None:
        if connected:
            reporter.report(Connected(1, "relay", ("a",), "host", "host", None))
        os.kill(os.getpid(), signal.SIGINT)
        await shutdown.drain.wait()

    client_program.then = then
    assert mayfly("client", "--json").exit_code == code


def test_machines_that_hang_up_make_the_program_drain() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        drained: list[bool] = []

        async def settle(*_: object) -> None:
            return None

        async def program(_: str | None, reporter: Reporter, __: CodeReader, shutdown: Shutdown) -> None:
            reporter.report(Words(("a",)))
            drained.append(shutdown.drain.is_set())

        assert loop.run(running._run(Machines(stream), settle, program), "asyncio") == 0
    assert drained == [True]


def test_standard_input_is_let_go(mayfly: Command, relay_program: FakeProgram, type_in: Typing) -> None:
    async def then(_: Reporter, codes: CodeReader, __: Shutdown) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await codes.read(Kind.ANSWER)

    relay_program.then = then
    assert mayfly("relay").exit_code == 0


def test_the_end_of_input_is_the_program_s_to_judge(
    mayfly: Command, relay_program: FakeProgram, type_in: Typing
) -> None:
    ended: list[bool] = []

    async def then(_: Reporter, codes: CodeReader, __: Shutdown) -> None:
        try:
            await codes.read(Kind.ANSWER)
        except EOFError:
            ended.append(True)

    relay_program.then = then
    type_in("")
    assert mayfly("relay", "--json").exit_code == 0
    assert ended == [True]


@pytest.mark.parametrize(("form", "shown"), [((), False), (("--verbose",), False), (("--unsafe-logging",), True)])
def test_logs_are_shown_only_on_request(
    mayfly: Command,
    relay_program: FakeProgram,
    monkeypatch: pytest.MonkeyPatch,
    form: tuple[str, ...],
    shown: bool,
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.WARNING)

    def then(*_: object) -> None:
        logging.getLogger("aioice").warning("peer 203.0.113.7")

    relay_program.then = then
    result = mayfly("relay", *form)
    assert ("203.0.113.7" in result.stderr) is shown
    assert "203.0.113.7" not in result.stdout


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        (samples.offer().text, Kind.OFFER, True),
        (samples.offer().text, None, True),
        (samples.offer().text, Kind.ANSWER, False),
        (samples.offer(samples.PAST).text, Kind.OFFER, True),
        (samples.offer().text[:-1], Kind.OFFER, False),
        ("", None, False),
        ("x" * 100_000, None, False),
    ],
)
def test_whole_codes(text: str, wanted: Kind | None, expected: bool) -> None:
    assert running.whole(text, wanted) is expected


def test_an_error_that_speaks_to_people_has_a_code_of_its_own() -> None:
    assert MayflyError("x").exit_code == 1
