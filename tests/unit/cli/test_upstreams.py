"""The options of `mayfly relay` that choose its way out."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from mayfly.runtime.events import CodeReady
from mayfly.tor.settings import ControlAddress
from mayfly.wire.hello import Upstream
from mayfly_cli.places import state_directory
from mayfly_relay.options import RelayOptions
from unit.cli import samples
from unit.cli.conftest import Command, FakeProgram, refused


def chosen(program: FakeProgram) -> RelayOptions:
    assert isinstance(program.last, RelayOptions)
    return program.last


def test_a_chain_of_proxies(mayfly: Command, relay_program: FakeProgram) -> None:
    result = mayfly("relay", "--upstream", "socks5://a.example:1", "--upstream", "http://b.example:2")
    assert result.exit_code == 0, result.output
    assert [proxy.place.port for proxy in chosen(relay_program).upstream.proxies] == [1, 2]


def test_tor(mayfly: Command, relay_program: FakeProgram) -> None:
    lines = ("--torrc-line", "UseBridges 1", "--torrc-line", "Bridge 192.0.2.1:1")
    assert mayfly("relay", "--upstream", "tor", *lines, "--tor-isolate", "stream").exit_code == 0
    options = chosen(relay_program)
    assert options.upstream.kind is Upstream.TOR
    assert options.tor.torrc == ("UseBridges 1", "Bridge 192.0.2.1:1")
    assert options.tor.directory == state_directory() / "tor"
    assert options.tor_isolate_streams


def test_a_running_tor(mayfly: Command, relay_program: FakeProgram) -> None:
    assert mayfly("relay", "--upstream", "tor", "--tor-control", "9051").exit_code == 0
    assert chosen(relay_program).tor.control == ControlAddress("127.0.0.1", 9051)


def test_an_outbound_address(mayfly: Command, relay_program: FakeProgram) -> None:
    assert mayfly("relay", "--outbound-address", "127.0.0.1").exit_code == 0
    assert chosen(relay_program).outbound == (ip_address("127.0.0.1"),)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--upstream", "nowhere"], "--upstream: An upstream cannot be read"),
        (["--upstream", "tor", "--upstream", "tor"], "stand alone"),
        (["--tor-control", "9051"], "--tor-control: this means something only with --upstream tor"),
        (["--tor-isolate", "stream"], "--tor-isolate: this means something only with --upstream tor"),
        (["--upstream", "tor", "--tor-isolate", "both"], "--tor-isolate: the value is not one of client, stream"),
        (["--upstream", "tor", "--tor-control", "x"], "--tor-control: the value is neither"),
        (["--upstream", "tor", "--torrc-line", "a\nb"], "--torrc-line: the value is not one line"),
        (
            ["--upstream", "tor", "--torrc-line", "A 1", "--tor-control", "9051"],
            "for one that runs already",
        ),
        (["--upstream", "tor", "--outbound-address", "127.0.0.1"], "only with --upstream direct"),
        (["--outbound-address", "203.0.113.1"], "--outbound-address: the value is not an address of this computer"),
        (["--outbound-address", "127.0.0.1", "--outbound-address", "127.0.0.2"], "one IPv4 and one IPv6"),
        (["--upstream", "bridge://192.0.2.1:1", "--deny", "*:80"], "--allow and --deny mean nothing"),
    ],
)
def test_what_makes_no_sense(mayfly: Command, relay_program: FakeProgram, arguments: list[str], words: str) -> None:
    refused(mayfly("relay", *arguments), words)
    assert relay_program.options == []


FILE = """\
[relay]
deny = ["*:22"]
tor-control = "9051"
torrc-line = ["UseBridges 1"]
tor-isolate = "stream"
ext-or-port = "127.0.0.1:9002"
ext-or-cookie = "/nowhere"
public = true
"""


@pytest.mark.parametrize(
    ("arguments", "control", "torrc"),
    [
        ((), None, ()),
        (("--upstream", "socks5://192.0.2.1:1"), None, ()),
        (("--upstream", "tor", "--tor-control", "9151"), ControlAddress("127.0.0.1", 9151), ()),
    ],
)
def test_what_stands_in_the_file_waits_for_a_run_that_it_is_for(
    mayfly: Command,
    relay_program: FakeProgram,
    tmp_path: Path,
    arguments: tuple[str, ...],
    control: ControlAddress | None,
    torrc: tuple[str, ...],
) -> None:
    (tmp_path / "own.toml").write_text(FILE)
    done = mayfly("relay", "--config", str(tmp_path / "own.toml"), *arguments)
    assert done.exit_code == 0, done.output
    options = chosen(relay_program)
    assert len(options.policy.rules) == 1
    assert (options.tor.control, options.tor.torrc) == (control, torrc)
    assert options.tor_isolate_streams is (options.upstream.kind is Upstream.TOR)
    assert (options.public, options.extended_port) == (False, None)


@pytest.mark.parametrize("typed", [(), ("--torrc-line", "UseBridges 0")])
def test_no_tor_is_started_where_the_file_names_one_that_runs(
    mayfly: Command, relay_program: FakeProgram, tmp_path: Path, typed: tuple[str, ...]
) -> None:
    (tmp_path / "own.toml").write_text(FILE)
    done = mayfly("relay", "--config", str(tmp_path / "own.toml"), "--upstream", "tor", *typed)
    assert done.exit_code == 2
    assert "Leave out one of the two." in done.output


@pytest.mark.parametrize("upstream", ["socks5://192.0.2.1:1", "http://192.0.2.1:1", "tor", "bridge://192.0.2.1:1"])
def test_who_pins_an_address_in_the_file_does_not_leave_by_another_way(
    mayfly: Command, relay_program: FakeProgram, tmp_path: Path, upstream: str
) -> None:
    (tmp_path / "own.toml").write_text('[relay]\noutbound-address = ["127.0.0.1"]\n')
    done = mayfly("relay", "--config", str(tmp_path / "own.toml"), "--upstream", upstream)
    refused(done, "key 'outbound-address' of [relay]: this means something only with --upstream direct")
    assert relay_program.options == []
    assert mayfly("relay", "--config", str(tmp_path / "own.toml")).exit_code == 0
    assert chosen(relay_program).outbound == (ip_address("127.0.0.1"),)


def test_rules_of_the_file_do_not_keep_a_relay_from_a_bridge(
    mayfly: Command, relay_program: FakeProgram, tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text('[relay]\ndeny = ["*:22"]\n')
    done = mayfly("relay", "--config", str(tmp_path / "own.toml"), "--upstream", "bridge://192.0.2.1:1")
    assert done.exit_code == 0, done.output
    assert chosen(relay_program).policy.rules == ()


def test_a_password_on_the_command_line_is_warned_of(
    mayfly: Command, relay_program: FakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "socks5://anna:s3cret@127.0.0.1:1080"
    warned = mayfly("relay", "--upstream", url)
    assert "A password stands on the command line" in " ".join(warned.stderr.split())
    assert "s3cret" not in warned.output
    monkeypatch.setenv("MAYFLY_RELAY_UPSTREAM", url)
    assert "password" not in mayfly("relay").stderr
    assert chosen(relay_program).upstream.proxies[0].password == "s3cret"


@pytest.mark.parametrize(
    ("arguments", "bridge"),
    [((), False), (("--upstream", "tor"), False), (("--upstream", "bridge://192.0.2.1:1"), True)],
)
def test_the_reporter_knows_whether_there_is_a_bridge(
    mayfly: Command, relay_program: FakeProgram, arguments: tuple[str, ...], bridge: bool
) -> None:
    relay_program.then = lambda reporter, _codes, _shutdown: reporter.report(
        CodeReady("short", "7-copper-tulip", samples.FAR, (), "")
    )
    assert ("meet=7-copper-tulip" in mayfly("relay", *arguments).stdout) is bridge
