"""The options for meeting at an onion service."""

from __future__ import annotations

import pytest

from mayfly.errors import ExitCode
from mayfly_cli.main import run

ADDRESS = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["relay", "--torrc-line", "UseBridges 1"], "only with --upstream tor or --offer-onion"),
        (["relay", "--tor-control", "9051"], "only with --upstream tor or --offer-onion"),
        (["relay", "--offer-onion", "--tor-control", "here"], "neither ADDRESS:PORT"),
        (["relay", "--offer-onion", "--torrc-line", "a\nb"], "not one line"),
        (
            ["relay", "--offer-onion", "--tor-control", "9051", "--torrc-line", "UseBridges 1"],
            "--tor-control for one that runs already",
        ),
        (["relay", "--offer-onion", "mf1code"], "another way to meet"),
        (["relay", "--offer-onion", "--broker", "https://b.example"], "another way to meet"),
        (["client", "--tor-socks", "127.0.0.1:9050"], "only with --onion"),
        (["client", "--onion", "example.com"], "not an onion address"),
        (["client", "--onion", ADDRESS.replace("2g", "2h")], "mistyped"),
        (["client", "--onion", ADDRESS, "--offer"], "another way to meet"),
        (["client", "--onion", ADDRESS, "mf1code"], "another way to meet"),
        (["client", "--onion", ADDRESS, "--tor-socks", "9050"], "HOST:PORT"),
    ],
)
def test_what_makes_no_sense(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert run([*arguments, "--json"]) == ExitCode.USAGE
    assert words in capsys.readouterr().out
