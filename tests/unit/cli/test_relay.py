"""`mayfly relay`: its own options, and the order of its rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly_relay.limits import RelayLimits
from mayfly_relay.options import RelayOptions
from mayfly_relay.policy import ExitPolicy
from mayfly_relay.rules import parse_rule
from unit.cli.conftest import Command, FakeProgram, Typing, refused


def chosen(program: FakeProgram) -> RelayOptions:
    assert isinstance(program.last, RelayOptions)
    return program.last


def rules(program: FakeProgram) -> ExitPolicy:
    return chosen(program).policy


def policy(*texts: str) -> ExitPolicy:
    return ExitPolicy(tuple(parse_rule(text[1:], text[0] == "+") for text in texts))


def test_the_defaults_are_the_program_s(mayfly: Command, relay_program: FakeProgram) -> None:
    assert mayfly("relay", "--stun", "none").exit_code == 0
    assert chosen(relay_program) == RelayOptions()


def test_every_option(mayfly: Command, relay_program: FakeProgram) -> None:
    result = mayfly(
        "relay", "mf1code", "--for", "2h", "--max-clients", "9", "--max-streams", "10", "--connect-rate", "2.5/s",
        "--max-rate", "20Mbit/s", "--max-bytes", "2GB", "--idle-timeout", "90s", "--grace", "0",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    options = chosen(relay_program)
    assert (options.code, options.lifetime, options.grace) == ("mf1code", 7200, 0)
    assert options.limits == RelayLimits(
        max_clients=9, max_streams=10, connect_rate=2.5, max_rate=2.5e6, max_bytes=2_000_000_000, idle_timeout=90
    )


def test_none_lifts_a_limit(mayfly: Command, relay_program: FakeProgram) -> None:
    assert mayfly("relay", "--max-rate", "none", "--max-bytes", "none").exit_code == 0
    assert chosen(relay_program).limits.max_rate is None
    assert chosen(relay_program).limits.max_bytes is None


def test_the_variable_of_for(mayfly: Command, relay_program: FakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYFLY_RELAY_FOR", "30s")
    assert mayfly("relay").exit_code == 0
    assert chosen(relay_program).lifetime == 30


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--for", "0"], "--for: the value must be above zero"),
        (["--max-clients", "0"], "--max-clients: the value is not a whole number"),
        (["--max-rate", "5Mb/s"], "--max-rate: the value has a lone b"),
        (["--max-bytes", "5MB/s"], "--max-bytes: the value is not a size"),
        (["--idle-timeout", "0s"], "--idle-timeout: the value must be above zero"),
        (["--connect-rate", "0"], "--connect-rate: the value is not a number a second"),
        (["--allow", "10.0.0.1"], "--allow: The exit policy rule"),
        (["--deny", "10.0.0.1:0"], "--deny: The exit policy rule"),
    ],
)
def test_a_wrong_value_is_a_usage_error(
    mayfly: Command, relay_program: FakeProgram, arguments: list[str], words: str
) -> None:
    refused(mayfly("relay", *arguments), words)
    assert relay_program.options == []


def test_rules_keep_the_order_of_the_command_line(mayfly: Command, relay_program: FakeProgram) -> None:
    arguments = ("--deny", "a.example:*", "--allow", "*:80", "--deny=*:*", "--allow", "10.0.0.1:22")
    assert mayfly("relay", *arguments).exit_code == 0
    assert rules(relay_program) == policy("-a.example:*", "+*:80", "-*:*", "+10.0.0.1:22")


def test_refusals_come_first_in_the_file_and_in_variables(
    mayfly: Command, relay_program: FakeProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[relay]\nallow = ["a.example:*", "b.example:*"]\ndeny = ["c.example:*"]\n')
    assert mayfly("relay", "--config", str(path)).exit_code == 0
    assert rules(relay_program) == policy("-c.example:*", "+a.example:*", "+b.example:*")

    monkeypatch.setenv("MAYFLY_RELAY_ALLOW", "d.example:1 e.example:2")
    assert mayfly("relay", "--config", str(path)).exit_code == 0
    assert rules(relay_program) == policy("-c.example:*", "+d.example:1", "+e.example:2")


def test_rules_of_the_command_line_come_before_the_file_s(
    mayfly: Command, relay_program: FakeProgram, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[relay]\nallow = ["a.example:*"]\ndeny = ["b.example:*"]\n')
    assert mayfly("relay", "--config", str(path), "--allow", "c.example:*").exit_code == 0
    assert rules(relay_program) == policy("+c.example:*", "-b.example:*")


def test_a_rule_of_a_variable_is_named_by_it(mayfly: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAYFLY_RELAY_DENY", "a.example")
    refused(mayfly("relay"), "MAYFLY_RELAY_DENY: The exit policy rule")


def test_without_a_code_it_offers_and_with_a_dash_it_reads_one(
    mayfly: Command, relay_program: FakeProgram, type_in: Typing
) -> None:
    assert mayfly("relay").exit_code == 0
    assert chosen(relay_program).code is None
    type_in("\nmf1fromstdin\nlater\n")
    assert mayfly("relay", "-", "--json").exit_code == 0
    assert chosen(relay_program).code == "mf1fromstdin"
