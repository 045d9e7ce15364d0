"""The options about brokers, in both commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from mayfly.runtime.events import Reporter, Words
from mayfly_cli import brokers
from mayfly_client.options import ClientOptions
from mayfly_relay.options import RelayOptions
from unit.cli.conftest import Command, FakeProgram, Typing, refused

URL = ("--broker", "https://broker.example")


def test_a_client_s_options(mayfly: Command, client_program: FakeProgram) -> None:
    more = ("--broker", "http://127.0.0.1:8040/", "--relays", "3", "--want", "tor", "--want-port", "443")
    proxied = ("--broker-proxy", "socks5://me:secret@127.0.0.1:9050")
    assert mayfly("client", *URL, *more, *proxied, "--stun", "none").exit_code == 0
    options = client_program.last
    assert isinstance(options, ClientOptions)
    assert options.code is None
    assert options.broker is not None
    assert [each.url for each in options.broker.brokers] == ["https://broker.example", "http://127.0.0.1:8040"]
    assert options.broker.proxy == "socks5://me:secret@127.0.0.1:9050"
    assert (options.pool.relays, options.wish.upstream, options.wish.serves) == (3, "tor", "web")


def test_a_relay_s_options(mayfly: Command, relay_program: FakeProgram) -> None:
    assert mayfly("relay", *URL, "--public", "--broker-front", "cdn.example").exit_code == 0
    options = relay_program.last
    assert isinstance(options, RelayOptions)
    assert options.public
    assert options.broker is not None
    assert options.broker.front == "cdn.example"


def test_without_a_broker_nothing_is_different(mayfly: Command, relay_program: FakeProgram) -> None:
    assert mayfly("relay").exit_code == 0
    assert relay_program.last.broker is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["client", "--broker", "broker.example"], "--broker: the value is not a URL"),
        (["client", "--broker", "http://broker.example"], "use https://"),
        (["client", *URL, "--offer"], "--broker and --offer exclude each other"),
        (["client", *URL, "--relays", "9"], "--relays: the value is not a number from 1 to 8"),
        (["client", *URL, "--want", "magic"], "--want: the value is not one of direct"),
        (["client", *URL, "--want-port", "0"], "--want-port: the value is not a port"),
        (["client", *URL, "--broker-proxy", "ftp://me:secret@x:1"], "--broker-proxy: the value is not socks5://"),
        (["client", "--relays", "2"], "--relays: this means something only with --broker"),
        (["client", "--want", "tor"], "--want: this means something only with --broker"),
        (["relay", "--public"], "--public: this means something only with --broker"),
        (["relay", *URL, "mf1code"], "--broker and a CODE exclude each other"),
        (
            ["relay", "--broker", "http://127.0.0.1:1", "--broker-front", "x.example"],
            "a front is for brokers with https",
        ),
    ],
)
def test_what_makes_no_sense(mayfly: Command, arguments: list[str], words: str) -> None:
    result = mayfly(*arguments)
    refused(result, words)
    assert "secret" not in result.output


def test_plain_http_where_it_must_be(mayfly: Command, relay_program: FakeProgram) -> None:
    assert mayfly("relay", "--broker", "http://broker.example", "--broker-plain").exit_code == 0
    assert relay_program.last.broker.brokers[0].url == "http://broker.example"


@pytest.mark.parametrize(("text", "host"), [("cdn.example", "cdn.example"), ("cdn.example:8443", "cdn.example:8443")])
def test_fronts(text: str, host: str) -> None:
    assert brokers.front_host(text) == host


@pytest.mark.parametrize(
    ("arguments", "strangers"),
    [
        (("client", *URL), True),
        (("client", *URL, "7-copper-tulip"), False),
        (("client", "--stun", "none"), False),
        (("relay", *URL, "--public"), True),
        (("relay", *URL), False),
    ],
)
def test_only_between_strangers_words_are_not_to_be_compared(
    mayfly: Command,
    relay_program: FakeProgram,
    client_program: FakeProgram,
    type_in: Typing,
    arguments: tuple[str, ...],
    strangers: bool,
) -> None:
    def then(reporter: Reporter, *_: object) -> None:
        reporter.report(Words(("a", "b")))

    type_in("\n\n")
    relay_program.then = client_program.then = then
    out = mayfly(*arguments).stdout
    assert ("Between strangers they prove nothing" in out) is strangers
    assert ("Compare them with the other side" in out) is not strangers


@pytest.mark.parametrize("in_the_file", [True, False])
@pytest.mark.parametrize(("arguments", "strangers"), [(URL, True), ((), False), (("mf1code",), False)])
def test_public_that_waits_for_a_broker_keeps_nobody_from_comparing_words(
    mayfly: Command,
    relay_program: FakeProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_the_file: bool,
    arguments: tuple[str, ...],
    strangers: bool,
) -> None:
    def then(reporter: Reporter, *_: object) -> None:
        reporter.report(Words(("a", "b")))

    relay_program.then = then
    (tmp_path / "own.toml").write_text("[relay]\npublic = true\n" if in_the_file else "")
    if not in_the_file:
        monkeypatch.setenv("MAYFLY_RELAY_PUBLIC", "1")
    done = mayfly("relay", "--config", str(tmp_path / "own.toml"), *arguments)
    assert done.exit_code == 0, done.output
    assert relay_program.last.public is strangers
    assert ("Between strangers they prove nothing" in done.stdout) is strangers
    assert ("Compare them with the other side" in done.stdout) is not strangers
