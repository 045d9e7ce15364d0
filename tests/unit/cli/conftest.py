"""Fixtures of the command's tests: programs that only note what they were given, and standard input as a pipe."""

from __future__ import annotations

import os
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mayfly.runtime.control_client import ControlClient
from mayfly.runtime.events import CodeReader, Connected, Reporter
from mayfly.runtime.shutdown import Shutdown
from mayfly.signaling.description import Kind
from mayfly_broker.options import BrokerOptions
from mayfly_cli import running, serving
from mayfly_cli.main import app
from unit.cli.played import Played


@dataclass
class FakeProgram:
    """Stands for run_relay or run_client. `then` is what it does with reporter, codes and shutdown."""

    options: list[Any] = field(default_factory=list)
    then: Callable[[Reporter, CodeReader, Shutdown], Any] | None = None

    async def run(self, options: Any, reporter: Reporter, codes: CodeReader, shutdown: Shutdown) -> None:
        self.options.append(options)
        if self.then is not None:
            result = self.then(reporter, codes, shutdown)
            if result is not None:
                await result

    @property
    def last(self) -> Any:
        return self.options[-1]


@dataclass
class FakePeer:
    """Does the work of a command at a program that the test plays, once it has read `codes` codes."""

    options: list[Any] = field(default_factory=list)
    played: Played | None = None
    codes: int = 0
    read: list[str] = field(default_factory=list)

    async def run(self, options: Any, reporter: Reporter, codes: CodeReader, shutdown: Shutdown, work: Any) -> None:
        self.options.append(options)
        for _ in range(self.codes):
            self.read.append(await codes.read(Kind.ANSWER))
        reporter.report(Connected(1, "peer", ("a",), "host", "host", None))
        played = self.played or Played("peer")
        client = ControlClient(played.server.join())
        await client.start()
        try:
            await work(client)
        finally:
            await client.aclose()
            await played.server.aclose()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of the person who runs the tests, and a terminal of 80 columns."""
    for name in list(os.environ):
        if name.startswith("MAYFLY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture(autouse=True)
def runtime_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where control sockets stand: nothing runs there. Its name is short, as a socket's path has to be."""
    with tempfile.TemporaryDirectory(prefix="mf") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder) / "mayfly"


@pytest.fixture
def peer_program(monkeypatch: pytest.MonkeyPatch) -> FakePeer:
    """Stands for run_peer."""
    program = FakePeer()
    monkeypatch.setattr("mayfly.services.peer.run_peer", program.run)
    return program


@pytest.fixture
def relay_program(monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    return _standing_for("mayfly_relay.app", "run_relay", monkeypatch)


@pytest.fixture
def client_program(monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    return _standing_for("mayfly_client.app", "run_client", monkeypatch)


def _standing_for(name: str, function: str, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    program = FakeProgram()
    module = types.ModuleType(name)
    vars(module)[function] = program.run
    monkeypatch.setitem(sys.modules, name, module)
    return program


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[BrokerOptions]:
    """What brokers were told; none of them runs."""
    seen: list[BrokerOptions] = []

    def serve(options: BrokerOptions, *_: Any) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr(serving, "serve", serve)
    return seen


Typing = Callable[[str], None]


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Typing]:
    """Put text on standard input, which ends there."""
    read, write = os.pipe()
    monkeypatch.setattr(running, "STANDARD_INPUT", read)
    open_ends = [read, write]

    def typed(text: str) -> None:
        os.write(write, text.encode())
        os.close(open_ends.pop())

    yield typed
    for end in open_ends:
        os.close(end)


Command = Callable[..., Result]


def refused(result: Result, words: str) -> None:
    """How a command must end that was typed wrongly: with these words, a next step and the exit code for it."""
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert "Next: " in result.stderr


@pytest.fixture
def mayfly() -> Command:
    """Run one command line in this process."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run
