"""The command that tor runs: its lines and exit codes, run as a process would."""

from __future__ import annotations

import pytest

from mayfly.errors import ExitCode
from mayfly_cli.main import run

VARIABLES = {
    "TOR_PT_MANAGED_TRANSPORT_VER": "1",
    "TOR_PT_CLIENT_TRANSPORTS": "obfs4",
    "TOR_PT_EXIT_ON_STDIN_CLOSE": "0",
}


@pytest.mark.parametrize(
    ("changes", "arguments", "said"),
    [
        ({"TOR_PT_MANAGED_TRANSPORT_VER": ""}, [], ["ENV-ERROR no TOR_PT_MANAGED_TRANSPORT_VER environment variable"]),
        ({"TOR_PT_MANAGED_TRANSPORT_VER": "2"}, [], ["VERSION-ERROR no-version"]),
        ({"TOR_PT_STATE_LOCATION": ""}, [], ["VERSION 1", "ENV-ERROR no TOR_PT_STATE_LOCATION environment variable"]),
        ({"TOR_PT_PROXY": "nonsense"}, [], ["VERSION 1", "PROXY-ERROR TOR_PT_PROXY is not a proxy's address"]),
        ({}, ["--bind", "here"], ["VERSION 1", "ENV-ERROR --bind: the value is not an IPv4 or IPv6 address."]),
        ({}, ["--loop", "windmill"], ["ENV-ERROR --loop: the value is not one of"]),
        ({}, ["--nonsense"], ["ENV-ERROR No such option: --nonsense. `mayfly pt --help` lists the options."]),
        ({}, ["--config", "/nowhere"], ["ENV-ERROR There is no configuration file /nowhere."]),
    ],
)
def test_each_failure_is_a_line_and_an_exit_code(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    arguments: list[str],
    said: list[str],
) -> None:
    for name, value in (VARIABLES | {"TOR_PT_STATE_LOCATION": "/nowhere"} | changes).items():
        monkeypatch.setenv(name, value)
    assert run(["pt", *arguments]) == ExitCode.USAGE
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(said)
    assert all(line.startswith(part) for line, part in zip(lines, said, strict=True))


def test_nothing_of_ours_is_wanted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (VARIABLES | {"TOR_PT_STATE_LOCATION": "/nowhere"}).items():
        monkeypatch.setenv(name, value)
    assert run(["pt"]) == ExitCode.OK
    assert capsys.readouterr().out.splitlines() == ["VERSION 1", "CMETHODS DONE"]


def test_a_server_is_told_how_a_relay_is_started(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = {
        "TOR_PT_SERVER_TRANSPORTS": "obfs4,mayfly",
        "TOR_PT_ORPORT": "127.0.0.1:1",
        "TOR_PT_CLIENT_TRANSPORTS": "",
    }
    for name, value in (VARIABLES | {"TOR_PT_STATE_LOCATION": "/nowhere"} | server).items():
        monkeypatch.setenv(name, value)
    assert run(["pt"]) == ExitCode.OK
    version, error, done = capsys.readouterr().out.splitlines()
    assert (version, done) == ("VERSION 1", "SMETHODS DONE")
    assert error.startswith("SMETHOD-ERROR mayfly a relay in front of a bridge is started on its own: mayfly relay")


def test_who_types_a_wrong_option_by_hand_is_told_as_everywhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOR_PT_MANAGED_TRANSPORT_VER", raising=False)
    assert run(["pt", "--nonsense"]) == ExitCode.USAGE
    assert "error (options): No such option: --nonsense." in capsys.readouterr().err
