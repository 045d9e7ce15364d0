"""The command lines in deploy/: each is taken by the real command, and means what the file around it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from mayfly_broker.options import BrokerOptions, Place
from mayfly_relay.options import RelayOptions
from support.programs import ROOT
from unit.cli.conftest import Command, FakeProgram

DEPLOY = ROOT / "deploy"
DAY = 24 * 3600


def unit(name: str) -> list[str]:
    line = re.search(r"^ExecStart=/opt/mayfly/bin/mayfly (.*)$", (DEPLOY / "systemd" / name).read_text(), re.MULTILINE)
    assert line is not None
    return shlex.split(line[1])


def composed(name: str) -> list[str]:
    words: list[str] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"][name]["command"]
    return words


def test_the_broker_s_unit_listens_where_nginx_looks_for_it(mayfly: Command, served: list[BrokerOptions]) -> None:
    result = mayfly(*unit("mayfly-broker.service"))
    assert result.exit_code == 0, result.output
    (options,) = served
    assert options.listen == Place(path=Path("/run/mayfly-broker/socket"))
    assert f"server unix:{options.listen.path};" in (DEPLOY / "nginx" / "mayfly-broker.conf").read_text()


def test_the_broker_of_the_composition(mayfly: Command, served: list[BrokerOptions]) -> None:
    result = mayfly(*composed("broker"))
    assert result.exit_code == 0, result.output
    (options,) = served
    assert (options.listen, options.store) == (Place("0.0.0.0", 8040), "redis://redis:6379/0")


def test_the_relay_s_unit_with_the_variable_that_it_names(
    mayfly: Command, relay_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAYFLY_RELAY_BROKER", "https://broker.example")
    result = mayfly(*unit("mayfly-relay.service"))
    assert result.exit_code == 0, result.output
    _of_the_pool(relay_program.last, "https://broker.example")


def test_the_relay_of_the_composition(mayfly: Command, relay_program: FakeProgram) -> None:
    result = mayfly(*composed("relay"))
    assert result.exit_code == 0, result.output
    _of_the_pool(relay_program.last, "http://broker:8040")


def _of_the_pool(options: RelayOptions, url: str) -> None:
    assert options.broker is not None
    assert [broker.url for broker in options.broker.brokers] == [url]
    assert (options.public, options.lifetime) == (True, DAY)
