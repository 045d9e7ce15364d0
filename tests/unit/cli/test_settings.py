"""Where a value comes from, and what becomes of the shared options. `mayfly client` stands for both commands."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from mayfly.transport.base import DtlsRole, IpPolicy, LinkSettings, TurnServer
from mayfly_cli import settings
from mayfly_cli.endpoints import STUN_SERVERS
from unit.cli.conftest import Command, FakeProgram, refused


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text('[client]\ngrace = "1s"\nsocks = "127.0.0.1:1"\nstun = ["a.example:1"]\nordered = true\n')
    return path


def link(program: FakeProgram) -> LinkSettings:
    chosen = program.last.link
    assert isinstance(chosen, LinkSettings)
    return chosen


def test_the_usual_link(mayfly: Command, client_program: FakeProgram) -> None:
    assert mayfly("client", "x").exit_code == 0
    assert link(client_program) == LinkSettings(stun=STUN_SERVERS)


def test_every_shared_option(mayfly: Command, client_program: FakeProgram) -> None:
    result = mayfly(
        "client", "x", "--bind", "192.0.2.1", "--bind", "::1", "--stun", "s.example:1", "--stun", "t.example",
        "--turn", "turn:u:p@t.example", "--ip-policy", "public-only", "--dtls-role", "server", "--ordered",
        "--engine", "aiortc", "--loop", "asyncio",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert link(client_program) == LinkSettings(
        bind=(ip_address("192.0.2.1"), ip_address("::1")),
        stun=("s.example:1", "t.example:3478"),
        turn=(TurnServer("turn:t.example:3478", "u", "p"),),
        ip_policy=IpPolicy.PUBLIC_ONLY,
        dtls_role=DtlsRole.SERVER,
        ordered=True,
    )
    assert client_program.last.engine == "aiortc"


@pytest.mark.parametrize(
    ("arguments", "stun"),
    [
        (["--bind", "127.0.0.1"], ()),
        (["--bind", "127.0.0.2", "--bind", "::1"], ()),
        (["--bind", "127.0.0.1", "--bind", "192.0.2.1"], STUN_SERVERS),
        (["--bind", "127.0.0.1", "--stun", "127.0.0.1:1"], ("127.0.0.1:1",)),
        (["--stun", "none"], ()),
        (["--ip-policy", "no-stun"], ()),
        (["--ip-policy", "lan", "--stun", "s.example"], ()),
        (["--ip-policy", "turn-only", "--turn", "turn:u:p@h"], ()),
        (["--ip-policy", "public-only"], STUN_SERVERS),
    ],
)
def test_when_a_stun_server_is_asked(
    mayfly: Command, client_program: FakeProgram, arguments: list[str], stun: tuple[str, ...]
) -> None:
    assert mayfly("client", "x", *arguments).exit_code == 0
    assert link(client_program).stun == stun


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bind", "localhost"], "--bind: the value is not an IPv4 or IPv6 address"),
        (["--stun", "none", "--stun", "a.example"], "--stun: none stands alone"),
        (["--turn", "turn:u:s3cret@"], "--turn: the value"),
        (["--ip-policy", "some"], "--ip-policy: the value is not one of all, public-only, no-stun, lan, turn-only"),
        (["--ip-policy", "turn-only"], "--ip-policy: turn-only needs a TURN server"),
        (["--dtls-role", "active"], "--dtls-role: the value is not one of auto, client, server"),
        (["--engine", "webrtc"], "--engine: the value is not one of auto, aiortc"),
        (["--loop", "trio"], "--loop: the value is not one of auto, asyncio, uvloop"),
        (["--grace", "soon"], "--grace: the value is not a duration"),
    ],
)
def test_a_wrong_value_names_its_option(
    mayfly: Command, client_program: FakeProgram, arguments: list[str], words: str
) -> None:
    result = mayfly("client", "x", *arguments)
    refused(result, words)
    assert "s3cret" not in result.output
    assert client_program.options == []


def test_the_file_gives_defaults(mayfly: Command, client_program: FakeProgram, config: Path) -> None:
    assert mayfly("client", "x", "--config", str(config)).exit_code == 0
    assert client_program.last.grace == 1
    assert client_program.last.socks == ("127.0.0.1", 1)
    assert link(client_program).stun == ("a.example:1",)
    assert link(client_program).ordered


def test_the_variable_wins_over_the_file(
    mayfly: Command, client_program: FakeProgram, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAYFLY_CONFIG", str(config))
    monkeypatch.setenv("MAYFLY_CLIENT_GRACE", "2s")
    monkeypatch.setenv("MAYFLY_CLIENT_STUN", "b.example:1  c.example:2")
    monkeypatch.setenv("MAYFLY_CLIENT_ORDERED", "0")
    assert mayfly("client", "x").exit_code == 0
    assert client_program.last.grace == 2
    assert link(client_program).stun == ("b.example:1", "c.example:2")
    assert not link(client_program).ordered


def test_the_command_line_wins_over_both(
    mayfly: Command, client_program: FakeProgram, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAYFLY_CLIENT_GRACE", "2s")
    arguments = ("--config", str(config), "--grace", "3s", "--unordered", "--stun", "none")
    assert mayfly("client", "x", *arguments).exit_code == 0
    assert client_program.last.grace == 3
    assert link(client_program).stun == ()
    assert not link(client_program).ordered
    assert client_program.last.socks == ("127.0.0.1", 1)


def test_a_wrong_value_names_its_variable(mayfly: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYFLY_CLIENT_GRACE", "soon")
    result = mayfly("client", "x")
    refused(result, "MAYFLY_CLIENT_GRACE: the value is not a duration")


def test_a_wrong_value_names_its_file_and_key(mayfly: Command, config: Path) -> None:
    config.write_text('[client]\nip-policy = "some"\n')
    refused(
        mayfly("client", "x", "--config", str(config)),
        f"{config}, key 'ip-policy' of [client]: the value is not one of",
    )


@pytest.mark.parametrize("text", ["", "0", "-1", "1.0", "1e3", "1000001", "9" * 5000, "٣", "x"])
def test_counts(text: str) -> None:
    assert settings.count("1") == 1
    assert settings.count("1000000") == 1_000_000
    with pytest.raises(ValueError, match="whole number"):
        settings.count(text)


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "1e9", "x", "5/m"])
def test_numbers_a_second(text: str) -> None:
    assert settings.per_second("100/s") == 100
    assert settings.per_second("0.5") == 0.5
    with pytest.raises(ValueError, match="a second"):
        settings.per_second(text)


def test_tab_offers_what_begins_so() -> None:
    complete = settings.completing("client", "stream", "server")
    assert complete("s") == ["stream", "server"]
    assert complete("") == ["client", "stream", "server"]
    assert complete("x") == []
