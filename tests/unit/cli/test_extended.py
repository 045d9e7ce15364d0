"""The options about a bridge's extended ORPort."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly.errors import ExitCode
from mayfly_cli.extended import coarse_address
from mayfly_cli.main import run

BRIDGE = ["relay", "--upstream", "bridge://127.0.0.1:9001"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["relay", "--ext-or-port", "127.0.0.1:1", "--ext-or-cookie", "x"], "only with --upstream bridge://"),
        ([*BRIDGE, "--ext-or-cookie", "x"], "only with --ext-or-port"),
        ([*BRIDGE, "--ext-or-address", "/16"], "only with --ext-or-port"),
        ([*BRIDGE, "--ext-or-port", "127.0.0.1:1"], "needs --ext-or-cookie"),
        ([*BRIDGE, "--ext-or-port", "bridge.example:1", "--ext-or-cookie", "x"], "not an IPv4 or IPv6 address"),
    ],
)
def test_what_makes_no_sense(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert run([*arguments, "--json"]) == ExitCode.USAGE
    assert words in capsys.readouterr().out


def test_a_cookie_file_is_looked_at_before_anybody_comes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "cookie").write_bytes(b"no cookie")
    arguments = [*BRIDGE, "--ext-or-port", "127.0.0.1:1", "--ext-or-cookie", str(tmp_path / "cookie"), "--json"]
    assert run(arguments) == ExitCode.USAGE
    assert "--ext-or-cookie: the cookie file is not one" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "bits"), [("/16", (16, 32)), ("/24,/48", (24, 48)), ("/0", (0, 32))])
def test_how_much_of_an_address_is_told(text: str, bits: tuple[int, int]) -> None:
    found = coarse_address(text)
    assert (found.bits4, found.bits6) == bits


@pytest.mark.parametrize("text", ["16", "/25", "/16,/49", "/16,", "/x", "/16,/32,/8", ""])
def test_more_than_a_network_is_never_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|tells more"):
        coarse_address(text)
