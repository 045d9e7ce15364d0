"""Where a short code comes from."""

from __future__ import annotations

import asyncio

import pytest

from mayfly_cli import failures, shortcodes
from mayfly_client.options import ClientOptions
from unit.cli.conftest import Command, FakeProgram, Typing
from unit.cli.played import Listener

URL = ("--broker", "https://broker.example")


def test_an_argument_in_any_form(mayfly: Command, client_program: FakeProgram) -> None:
    assert mayfly("client", *URL, "7 Copper TULIP").exit_code == 0
    options = client_program.last
    assert isinstance(options, ClientOptions)
    assert options.code == "7-copper-tulip"


@pytest.mark.parametrize("code", ["7-copper-tullip", "mf1qqqq", "copper"])
def test_a_code_that_is_none(mayfly: Command, client_program: FakeProgram, code: str) -> None:
    assert mayfly("client", *URL, code).exit_code == 3
    assert not client_program.options


@pytest.mark.parametrize(("interrupted", "code"), [(True, 130), (False, 3)])
async def test_ctrl_c_and_ctrl_d_at_the_prompt(monkeypatch: pytest.MonkeyPatch, interrupted: bool, code: int) -> None:
    class Left:
        def __init__(self, **_: object) -> None:
            pass

        async def run(self, _: object) -> bool:
            return interrupted

    monkeypatch.setattr("mayfly_cli.screen.Screen", Left)
    listener = Listener()
    with pytest.raises((asyncio.CancelledError, EOFError)) as left:
        await shortcodes.ask(listener.people)
    assert failures.handle(left.value, listener.people, verbose=False) == code
    assert bool(listener.err) is not interrupted


@pytest.mark.parametrize("machine", [False, True])
def test_standard_input(mayfly: Command, client_program: FakeProgram, type_in: Typing, machine: bool) -> None:
    type_in("\n7-copper-tulip\n")
    assert mayfly("client", *URL, "-", *["--json"] * machine).exit_code == 0
    assert client_program.last.code == "7-copper-tulip"
