"""Where control sockets live, whom they admit, and stale ones."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import threading
import warnings
from pathlib import Path

import pytest

from mayfly.errors import ControlError, NoSessionError
from mayfly.runtime import control_socket
from mayfly.runtime.control_socket import check_name, check_user, claim, connect, release, running


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "mayfly"


def test_a_socket_and_its_directory_are_the_users_alone(directory: Path) -> None:
    name, listener = claim("relay", directory)
    assert name == "relay"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "relay.sock").stat().st_mode) == 0o600
    release(name, directory, listener)
    assert list(directory.iterdir()) == []


def test_a_taken_name_gets_a_number_and_an_exact_one_is_refused(directory: Path) -> None:
    claims = [claim("relay", directory) for _ in range(3)]
    assert [name for name, _ in claims] == ["relay", "relay-2", "relay-3"]
    with pytest.raises(ControlError, match="relay-2 runs already"):
        claim("relay-2", directory, exact=True)
    release(*_at(directory, claims[1]))
    assert claim_and_close("relay", directory) == "relay-2"
    for each in (claims[0], claims[2]):
        release(*_at(directory, each))


def test_the_socket_of_a_killed_program_is_removed(directory: Path) -> None:
    _name, listener = claim("relay", directory)
    listener.close()  # as the system does for a program that is killed: the file stays
    assert (directory / "relay.sock").exists()
    assert running(directory) == []
    assert not (directory / "relay.sock").exists()
    _name, listener = claim("relay", directory)
    listener.close()
    assert claim_and_close("relay", directory) == "relay"


def test_release_leaves_a_successors_socket_alone(directory: Path) -> None:
    name, old = claim("relay", directory)
    old.close()
    _, new = claim("relay", directory)
    release(name, directory, old)
    assert running(directory) == ["relay"]
    new.close()


def test_no_directory_means_that_nothing_runs(directory: Path) -> None:
    assert running(directory) == []
    with pytest.raises(NoSessionError, match="Nothing is running"):
        connect(None, directory)
    assert not directory.exists()


def test_the_only_session_is_found_and_several_need_a_choice(directory: Path) -> None:
    claims = [claim("relay", directory)]
    connect(None, directory).close()
    claims.append(claim("client", directory))
    with pytest.raises(ControlError, match="client, relay"):
        connect(None, directory)
    connect("client", directory).close()
    with pytest.raises(NoSessionError) as caught:
        connect("peer", directory)
    assert "client, relay" in caught.value.hint
    for each in claims:
        release(*_at(directory, each))


def test_a_directory_that_others_can_enter_is_refused(directory: Path) -> None:
    directory.mkdir(mode=0o755)
    for call in (lambda: claim("relay", directory), lambda: connect(None, directory)):
        with pytest.raises(ControlError, match="can be used by others"):
            call()


def test_a_link_in_place_of_the_directory_is_refused(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ControlError, match="can be used by others"):
        claim("relay", directory)


def test_a_directory_in_a_place_where_all_may_write_is_refused(directory: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ControlError, match="replace it"):
        claim("relay", directory)
    tmp_path.chmod(0o1777)
    assert claim_and_close("relay", directory) == "relay"


def test_a_file_in_the_way_is_never_removed(directory: Path) -> None:
    directory.mkdir(mode=0o700)
    (directory / "relay.sock").write_text("precious")
    assert claim_and_close("relay", directory) == "relay-2"
    assert (directory / "relay.sock").read_text() == "precious"


def test_a_path_that_is_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="too long"):
        claim("relay", tmp_path / ("d" * 120))


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x" * 33, "ä", "a\n"])
def test_names_choose_no_path(name: str, directory: Path) -> None:
    for call in (lambda: check_name(name), lambda: claim(name, directory)):
        with pytest.raises(ControlError, match="cannot name"):
            call()


def test_another_users_connection_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = socket.socketpair(socket.AF_UNIX)
    with near, far:
        check_user(near)
        user = os.geteuid()
        monkeypatch.setattr("mayfly.runtime.control_socket.os.geteuid", lambda: user + 1)
        if user == 0:  # root may speak to everybody's program
            check_user(near)
        else:
            with pytest.raises(ControlError, match="another user"):
                check_user(near)


def test_a_stranger_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = socket.socketpair(socket.AF_UNIX)
    with near, far:
        monkeypatch.setattr("mayfly.runtime.control_socket.struct.unpack", lambda *_: (1, os.geteuid() + 1000, 1))
        with pytest.raises(ControlError, match="another user"):
            check_user(near)


def test_a_command_does_not_speak_to_a_stranger(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, listener = claim("relay", directory)
    with monkeypatch.context() as patched, pytest.raises(ControlError, match="another user"):
        patched.setattr("mayfly.runtime.control_socket.struct.unpack", lambda *_: (1, os.geteuid() + 1000, 1))
        connect(None, directory)
    connect(None, directory).close()
    release(name, directory, listener)


def test_folders_on_the_way_are_made_for_the_user_alone(tmp_path: Path) -> None:
    assert claim_and_close("relay", tmp_path / "run" / "mayfly") == "relay"
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_what_the_system_says_is_passed_on(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "in a programmer's words")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(ControlError, match="no locks available") as caught:
        claim("relay", directory)
    assert "programmer" not in caught.value.message


def test_many_at_once_get_names_of_their_own(directory: Path) -> None:
    _name, stale = claim("relay", directory)
    stale.close()
    found: list[tuple[str, socket.socket]] = []
    threads = [threading.Thread(target=lambda: found.append(claim("relay", directory))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({name for name, _ in found}) == 8
    assert len(running(directory)) == 8
    for each in found:
        release(*_at(directory, each))


def test_the_standard_place_is_the_users_runtime_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert control_socket.default_directory() == tmp_path / "mayfly"


def test_without_one_there_is_another_and_no_programmers_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert control_socket.default_directory().name == "mayfly"
    assert seen == []


def _at(directory: Path, claimed: tuple[str, socket.socket]) -> tuple[str, Path, socket.socket]:
    return claimed[0], directory, claimed[1]


def claim_and_close(name: str, directory: Path) -> str:
    found, listener = claim(name, directory)
    release(found, directory, listener)
    return found
