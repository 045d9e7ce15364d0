"""Running the broker as a command: what it logs, and how it ends."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from mayfly.errors import ListenError
from mayfly.runtime.shutdown import Shutdown
from mayfly_broker.options import BrokerOptions
from mayfly_broker.web import ACCESS
from mayfly_cli import serving
from mayfly_cli.machines import Machines
from unit.cli.conftest import Command


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers = list(ACCESS.handlers), list(logging.getLogger().handlers)
    yield
    ACCESS.handlers, logging.getLogger().handlers = handlers
    ACCESS.setLevel(logging.NOTSET)
    ACCESS.propagate = True


class NoValues:
    """As if no option had been given."""

    def one(self, _: str, __: object, default: str) -> str:
        return default


def serve(monkeypatch: pytest.MonkeyPatch, *, stop: bool = False, error: bool = False, access: bool = False) -> int:
    async def run(_: BrokerOptions, __: object, shutdown: Shutdown) -> None:
        if stop:
            shutdown.request_stop()
        if error:
            raise ListenError("taken")

    monkeypatch.setattr(serving, "run_broker", run)
    options = BrokerOptions(access_log=access)
    return serving.serve(options, NoValues(), Machines(io.StringIO()))  # type: ignore[arg-type]  # a fake


def test_exit_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert serve(monkeypatch) == 0
    assert serve(monkeypatch, stop=True) == 130
    assert serve(monkeypatch, stop=True, error=True) == 130
    with pytest.raises(ListenError):
        serve(monkeypatch, error=True)


def test_requests_are_logged_only_where_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(monkeypatch)
    ACCESS.info("one")
    serve(monkeypatch, access=True)
    ACCESS.info("two")
    assert capsys.readouterr().err == "two\n"


def test_a_loop_that_there_is_not_ends_it_before_it_begins(mayfly: Command) -> None:
    """Nothing is left that should have run: Python would warn of it."""
    result = mayfly("broker", "--loop", "windmill")
    assert result.exit_code == 2
    assert "--loop: the value is not one of" in result.stderr
