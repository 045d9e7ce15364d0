"""Sockets for clients leave the relay some descriptors of its own."""

from __future__ import annotations

import errno
import socket

import pytest

from mayfly.runtime import descriptors
from mayfly_relay.outgoing import open_socket


def lowest_free() -> int:
    with socket.socket() as sock:
        return sock.fileno()


def test_a_socket_as_it_was_asked_for() -> None:
    with open_socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        assert (sock.family, sock.type) == (socket.AF_INET6, socket.SOCK_DGRAM)


def test_the_reserve_is_left_and_nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    free = lowest_free()
    monkeypatch.setattr("mayfly_relay.outgoing.RESERVE", 2)
    monkeypatch.setattr(descriptors, "limit", lambda: free + 3)
    open_socket(socket.AF_INET, socket.SOCK_STREAM).close()
    monkeypatch.setattr(descriptors, "limit", lambda: free + 2)
    with pytest.raises(OSError, match="kept free") as caught:
        open_socket(socket.AF_INET, socket.SOCK_STREAM)
    assert caught.value.errno == errno.EMFILE
    assert lowest_free() == free


def test_where_there_are_few_a_quarter_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    free = lowest_free()
    monkeypatch.setattr(descriptors, "limit", lambda: 2 * free)  # three quarters of it are more than are in use
    open_socket(socket.AF_INET, socket.SOCK_STREAM).close()


def test_without_a_limit_there_is_no_reserve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: None)
    open_socket(socket.AF_INET, socket.SOCK_STREAM).close()
