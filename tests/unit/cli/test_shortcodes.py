"""Where a short code comes from."""

from __future__ import annotations

import pytest

from mayfly_client.options import ClientOptions
from unit.cli.conftest import Command, FakeProgram, Typing

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


@pytest.mark.parametrize("machine", [False, True])
def test_standard_input(mayfly: Command, client_program: FakeProgram, type_in: Typing, machine: bool) -> None:
    type_in("\n7-copper-tulip\n")
    assert mayfly("client", *URL, "-", *["--json"] * machine).exit_code == 0
    assert client_program.last.code == "7-copper-tulip"
