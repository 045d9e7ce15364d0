"""HELLO each way, and what overtakes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mayfly.config import KIB, MuxConfig
from mayfly.errors import ErrorCode, RemoteProtocolError
from mayfly.mux.greeting import Greeting
from mayfly.wire.frames import ConnectionCloseFrame, HelloFrame, PingFrame, StreamFrame, decode_message
from mayfly.wire.hello import Hello
from support.pair import hello_of

CONFIG = replace(MuxConfig(), initial_connection_window=256 * KIB)


def greeting(size: int = 1500) -> Greeting:
    """One that has begun at 100 s."""
    return Greeting(CONFIG, hello_of(CONFIG), size, 100.0)


@pytest.mark.parametrize("size", [1300, 2500])
def test_our_hello_is_padded_and_sent_once(size: int) -> None:
    one = greeting(size)
    message = one.take_ours()
    assert message is not None
    assert len(message) == size
    frames = list(decode_message(message))
    assert len(frames) == 1
    assert isinstance(frames[0], HelloFrame)
    assert Hello.decode(frames[0]) == hello_of(CONFIG)
    assert one.take_ours() is None


def test_the_deadline() -> None:
    assert greeting().deadline == 100.0 + CONFIG.hello_timeout


def test_what_overtakes_is_kept_in_order() -> None:
    one = greeting()
    messages = [StreamFrame(1, 0, b"x").encode(), PingFrame(bytes(8)).encode(), bytes(50)]
    assert [one.keep_early(message) for message in messages] == [True] * 3
    assert one.receive(hello_of(CONFIG).encode()) == (hello_of(CONFIG), messages)
    with pytest.raises(RemoteProtocolError, match="twice") as caught:
        one.receive(hello_of(CONFIG).encode())
    assert caught.value.code is ErrorCode.PROTOCOL_VIOLATION


@pytest.mark.parametrize("frame", [hello_of(CONFIG).encode(), ConnectionCloseFrame(0)])
def test_what_cannot_wait(frame: HelloFrame | ConnectionCloseFrame) -> None:
    assert not greeting().keep_early(frame.encode())
    assert not greeting().keep_early(bytes(100) + frame.encode())


@pytest.mark.parametrize("size", [1, 9, 1000, 65_536])
def test_what_is_kept_is_bounded(size: int) -> None:
    one, kept = greeting(), 0
    with pytest.raises(RemoteProtocolError) as caught:
        while one.keep_early(bytes(size)):
            kept += size + 100  # what a small message costs at least
    assert caught.value.code is ErrorCode.PROTOCOL_VIOLATION
    assert kept <= CONFIG.initial_connection_window + CONFIG.max_receive_message
    assert kept > 60 * KIB


def test_a_first_frame_that_cannot_be_read() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        greeting().keep_early(b"\xff")
    assert caught.value.code is ErrorCode.FRAME_ENCODING_ERROR


def test_clear() -> None:
    one = greeting()
    one.keep_early(bytes(9))
    one.clear()
    assert one.take_ours() is None
    assert one.receive(hello_of(CONFIG).encode())[1] == []
