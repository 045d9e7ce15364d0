"""The options for meeting at an onion service."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly.errors import ExitCode
from mayfly_cli.main import run
from mayfly_client.options import ClientOptions
from unit.cli.conftest import Command, FakeProgram

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
            "for one that runs already",
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


def test_what_stands_in_the_file_waits_for_a_run_with_tor(
    mayfly: Command, client_program: FakeProgram, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[client]\ntorrc-line = ["UseBridges 1"]\ntor-socks = "127.0.0.1:9050"\nrelays = 3\n')
    for arguments, onion in (((), False), (("--onion", ADDRESS), True)):
        done = mayfly("client", "--config", str(path), *arguments)
        assert done.exit_code == 0, done.output
        chosen = client_program.last
        assert isinstance(chosen, ClientOptions)
        assert (chosen.onion is not None) is onion
    assert chosen.onion is not None
    assert (chosen.onion.socks, chosen.onion.tor.torrc) == (("127.0.0.1", 9050), ("UseBridges 1",))
