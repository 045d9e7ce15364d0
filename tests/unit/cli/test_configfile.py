"""The TOML file: where it is looked for, what is refused, and with which words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from mayfly.errors import UsageError
from mayfly_cli import configfile
from mayfly_cli.main import app


@pytest.fixture
def params() -> list[Any]:
    command: Any = get_command(app)
    return list(command.commands["relay"].params)


def load(tmp_path: Path, params: list[Any], text: str) -> dict[str, Any]:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return configfile.load(path, "relay", params)


def test_keys_become_parameters(tmp_path: Path, params: list[Any]) -> None:
    text = '[relay]\nfor = "2h"\nmax-clients = 2\nconnect-rate = 0.5\nallow = ["a.example:*"]\nordered = true\n'
    text += "[client]\nx = 1"
    assert load(tmp_path, params, text) == {
        "lifetime": "2h",
        "max_clients": "2",
        "connect_rate": "0.5",
        "allow": ["a.example:*"],
        "ordered": True,
    }


def test_every_command_with_a_file_has_its_table() -> None:
    root: Any = get_command(app)
    assert {
        name for name, command in root.commands.items() if "config" in {param.name for param in command.params}
    } == set(configfile.TABLES)


def test_the_other_table_or_an_empty_file_gives_nothing(tmp_path: Path, params: list[Any]) -> None:
    assert load(tmp_path, params, "") == {}
    assert load(tmp_path, params, "[client]\nsocks = '[::1]:0'") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[relay]\nmax-client = 2", "'max-client'"),
        ("[relay]\nmax_clients = 2", "'max_clients'"),
        ("[relay]\nconfig = 'x'", "'config'"),
        ("[relay]\nhelp = true", "'help'"),
        ("[relay]\ncode = 'mf1'", "'code'"),
        ("[stranger]\nx = 1", "'stranger'"),
        ("relay = 1", "'relay' is not a table"),
        ("[relay]\nallow = 'a:*'", "'allow' of [relay] is not an array of strings"),
        ("[relay]\nallow = [1]", "'allow' of [relay] is not an array of strings"),
        ("[relay]\nordered = 1", "'ordered' of [relay] is not true or false"),
        ("[relay]\nordered = 'yes'", "'ordered' of [relay] is not true or false"),
        ("[relay]\nfor = true", "'for' of [relay] is not a string or a number"),
        ("[relay]\nfor = []", "'for' of [relay] is not a string or a number"),
        ("[relay]\nfor = 1979-05-27", "'for' of [relay] is not a string or a number"),
        ("[relay", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_an_error_names_file_and_key(tmp_path: Path, params: list[Any], text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, params, text)
    assert words in caught.value.message
    assert str(tmp_path / "config.toml") in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_not_text_or_far_too_large(tmp_path: Path, params: list[Any]) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="UTF-8"):
        configfile.load(path, "relay", params)
    path.write_bytes(b"#" * (configfile.MAX_FILE + 1))
    with pytest.raises(UsageError, match="larger"):
        configfile.load(path, "relay", params)


def test_a_missing_file_matters_only_if_it_was_named(tmp_path: Path, params: list[Any]) -> None:
    assert configfile.load(None, "relay", params) == {}
    with pytest.raises(UsageError, match="no configuration file"):
        configfile.load(tmp_path / "none.toml", "relay", params)


def test_a_folder_is_no_file(tmp_path: Path, params: list[Any]) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        configfile.load(tmp_path, "relay", params)


def test_the_default_file_lies_in_the_users_configuration_directory(params: list[Any]) -> None:
    path = configfile.default_path()
    assert path == Path(os.environ["XDG_CONFIG_HOME"]) / "mayfly" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[relay]\ngrace = 5")
    assert configfile.load(None, "relay", params) == {"grace": "5"}
