from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mayfly.tor.settings import (
    ControlAddress,
    TorSettings,
    compose_torrc,
    control_port_file,
    parse_control_port,
    torrc_line,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:9051", ControlAddress("127.0.0.1", 9051)),
        ("localhost:9051", ControlAddress("127.0.0.1", 9051)),
        ("9051", ControlAddress("127.0.0.1", 9051)),
        ("a p@ss@192.0.2.1:1", ControlAddress("192.0.2.1", 1, password="a p@ss")),
        ("/run/tor/control", ControlAddress(path="/run/tor/control")),
        ("unix:/run/tor/control", ControlAddress(path="/run/tor/control")),
        ("secret@/run/tor/control", ControlAddress(path="/run/tor/control", password="secret")),
    ],
)
def test_control_addresses(text: str, found: ControlAddress) -> None:
    assert ControlAddress.parse(text) == found


@pytest.mark.parametrize(
    "text", ["", "tor", "example.com:9051", "[::1]:9051", "127.0.0.1:0", "127.0.0.1:65536", "1:2:3"]
)
def test_what_is_no_control_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither|port"):
        ControlAddress.parse(text)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = ControlAddress.parse(text)
    except ValueError:
        return
    assert address.path.startswith("/") or 0 < address.port < 65536


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(TorSettings(control=ControlAddress.parse("secret@9051")))


def test_lines_of_torrc_come_last_so_that_they_decide(tmp_path: Path) -> None:
    text = compose_torrc(tmp_path, 4711, ("UseBridges 1", "ClientOnly 0"))
    lines = text.splitlines()
    assert lines[-2:] == ["UseBridges 1", "ClientOnly 0"]
    assert "__OwningControllerProcess 4711" in lines
    assert all("127.0.0.1:auto" in line for line in lines if line.startswith(("SocksPort", "ControlPort ")))


def test_a_folder_with_any_name_stays_one_value() -> None:
    text = compose_torrc(Path('/a "b"\\c # d'), 1, ())
    assert 'DataDirectory "/a \\"b\\"\\\\c # d"' in text.splitlines()


@pytest.mark.parametrize("text", ["", "  ", "UseBridges 1\nExitRelay 1", "Log\x1b[1m"])
def test_what_is_no_line_of_torrc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        torrc_line(text)
    assert torrc_line(" UseBridges 1 ") == "UseBridges 1"


def test_an_attached_tor_takes_no_torrc() -> None:
    with pytest.raises(ValueError, match="that we start"):
        TorSettings(control=ControlAddress(port=9051), torrc=("UseBridges 1",))


def test_the_control_port_is_read_once_it_is_written_whole() -> None:
    assert parse_control_port("PORT=127.0.0.1:44223\n") == 44223
    assert parse_control_port("PORT=127.0.0.1:442") is None
    assert parse_control_port("UNIX_PORT=/somewhere\nPORT=127.0.0.1:44223\nPORT=127.0.0.1:1\n") == 44223
    assert parse_control_port("") is None
    assert parse_control_port("UNIX_PORT=/somewhere\n") is None
    assert control_port_file(Path("folder")) == Path("folder/control-port")
