"""`mayfly broker`: from options to what the broker is told."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from mayfly_broker.config import BrokerConfig
from mayfly_broker.options import BrokerOptions, Place, Tls
from mayfly_cli import broker
from unit.cli.conftest import Command, refused


def test_the_defaults(mayfly: Command, served: list[BrokerOptions]) -> None:
    assert mayfly("broker").exit_code == 0
    assert served == [BrokerOptions()]


def test_everything(mayfly: Command, served: list[BrokerOptions]) -> None:
    arguments = (
        *("--listen", "[::]:8443", "--metrics-listen", "127.0.0.1:9", "--tls-cert", "/c.pem", "--tls-key", "/k.pem"),
        *("--trusted-proxy", "10.0.0.1/8", "--trusted-proxy", "::1", "--store", "redis://localhost/1", "--access-log"),
        *("--max-postings", "5", "--prefix-postings", "6", "--prefix-matches", "7", "--prefix-claims", "8"),
        *("--prefix-rate", "9/s", "--prefix-connections", "10", "--grace", "11s"),
    )
    assert mayfly("broker", *arguments).exit_code == 0
    (options,) = served
    assert options.listen == Place("::", 8443)
    assert options.listen.text == "[::]:8443"
    assert options.metrics == Place("127.0.0.1", 9)
    assert options.tls == Tls(Path("/c.pem"), Path("/k.pem"))
    assert options.trusted == (ip_network("10.0.0.0/8"), ip_network("::1/128"))
    assert (options.store, options.access_log) == ("redis://localhost/1", True)
    changed = {
        name: getattr(options.config, name)
        for name in BrokerConfig.__dataclass_fields__
        if getattr(options.config, name) != getattr(BrokerConfig(), name)
    }
    assert changed == {
        "max_postings": 5, "prefix_postings": 6, "prefix_matches": 7, "prefix_claims": 8, "prefix_rate": 9.0,
        "prefix_burst": 90.0, "prefix_connections": 10, "drain": 11.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("--listen", "8040"),
        ("--listen", "unix:relative"),
        ("--listen", "unix:/" + "x" * 101),
        ("--store", "postgres://x"),
        ("--trusted-proxy", "proxy.example"),
        ("--tls-key", "/k.pem"),
        ("--max-postings", "0"),
        ("--grace", "soon"),
    ],
)
def test_what_cannot_be_understood(mayfly: Command, served: list[BrokerOptions], arguments: tuple[str, ...]) -> None:
    refused(mayfly("broker", *arguments), arguments[0])
    assert not served


def test_a_socket_path() -> None:
    assert broker.place("unix:/run/b").text == "unix:/run/b"


def test_the_help_tells_the_true_defaults(mayfly: Command) -> None:
    text = " ".join(mayfly("broker", "--help").output.replace("│", " ").split())
    usual, standard = BrokerConfig(), BrokerOptions()
    for value in (
        *(
            usual.max_postings,
            usual.prefix_postings,
            usual.prefix_matches,
            usual.prefix_claims,
            usual.prefix_connections,
        ),
        *(f"{usual.prefix_rate:g}/s", f"{usual.drain:g}s", standard.listen.text, standard.store),
    ):
        assert f"Default: {value}." in text
