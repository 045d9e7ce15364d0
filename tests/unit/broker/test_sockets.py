"""Sockets, socket files and TLS files, and the words where they are wrong."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mayfly.errors import ListenError
from mayfly_broker import sockets
from mayfly_broker.options import Place, Tls


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_free_port(host: str) -> None:
    with sockets.listening(Place(host, 0), 5) as sock:
        shown = sockets.address(sock, Place(host, 0))
        assert shown.startswith(("127.0.0.1:", "[::1]:"))
        assert not shown.endswith(":0")


def test_what_is_taken_or_not_ours_is_said() -> None:
    with sockets.listening(Place(port=0), 5) as sock:
        with pytest.raises(ListenError, match="another program uses it") as caught:
            sockets.listening(Place(port=sock.getsockname()[1]), 5)
        assert "--listen" in caught.value.hint
    with pytest.raises(ListenError, match="no such address"):
        sockets.listening(Place("192.0.2.1", 0), 5)
    with pytest.raises(ListenError, match="not an address"):
        sockets.listening(Place("broker.example", 0), 5)


def test_a_dead_socket_file_is_replaced_and_a_live_one_is_not(tmp_path: Path) -> None:
    place = Place(path=tmp_path / "s")
    sockets.listening(place, 5).close()  # the file stays, as after a kill
    with sockets.listening(place, 5) as sock:
        assert sockets.address(sock, place) == f"unix:{tmp_path / 's'}"
        with pytest.raises(ListenError, match="another program uses it"):
            sockets.listening(place, 5)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ListenError):
        sockets.listening(Place(path=tmp_path / "file"), 5)
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(ListenError):
        sockets.listening(Place(path=tmp_path / "none" / "s"), 5)


def test_tls_files_that_are_wrong_are_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    with pytest.raises(ListenError, match=r"no file .*none\.pem"):
        sockets.tls_context(Tls(tmp_path / "none.pem", empty))
    with pytest.raises(ListenError, match="PEM"):
        sockets.tls_context(Tls(empty, empty))


def test_a_listening_socket_is_a_real_one() -> None:
    with sockets.listening(Place(port=0), 5) as sock, socket.create_connection(sock.getsockname()):
        accepted, _ = sock.accept()
        accepted.close()
