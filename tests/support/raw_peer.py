"""A peer written by hand, frame by frame, in front of one multiplexer: for what no well-behaved end would send."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from mayfly.config import KIB, MIB, MuxConfig
from mayfly.errors import ErrorCode
from mayfly.mux.events import Event, SessionClosed, Side
from mayfly.mux.multiplexer import Multiplexer
from mayfly.wire.frames import ConnectionCloseFrame, Frame, HelloFrame, decode_message
from support.pair import hello_of

F = TypeVar("F")
E = TypeVar("E")

SMALL = MuxConfig(
    usual_message=2 * KIB,
    max_message=2 * KIB,
    max_receive_message=8 * KIB,
    initial_connection_window=256 * KIB,
    max_connection_window=1 * MIB,
    initial_stream_window=32 * KIB,
    max_stream_window=256 * KIB,
    max_streams=64,
    send_buffer=16 * KIB,
    max_gaps=1024,
    max_datagram=1 * KIB,
)
"""Limits so low that a few hundred frames reach them."""


class RawPeer:
    """`mux` is the answerer: the streams that this peer opens are even, its own odd."""

    def __init__(self, config: MuxConfig | None = None, *, hello: bool = True, **limits: int) -> None:
        """`limits` change what this peer's HELLO says, `hello` False keeps it back."""
        # Reports that wait for company would never leave a clock that stands still.
        self.config = replace(config or MuxConfig(), report_delay=0.0)
        self.hello = replace(hello_of(self.config), **limits)  # type: ignore[arg-type]
        self.now = 50.0
        self.mux = Multiplexer(self.config, hello_of(self.config), offerer=False, hello_size=1400, now=self.now)
        self.events: list[Event] = []
        self.frames: list[Frame] = []
        """What the multiplexer sent, but for its HELLO."""
        self.messages: list[bytes] = []
        self.hear()
        if hello:
            self.say(self.hello.encode())

    def say(self, *frames: Frame) -> list[Event]:
        """Send frames in one message. Gives what the application is told."""
        return self.say_bytes(b"".join(frame.encode() for frame in frames))

    def say_bytes(self, message: bytes) -> list[Event]:
        """Send a message of any bytes."""
        events = self.mux.receive_message(message, self.now)
        self.events += events
        return events

    def hear(self, budget: int = 1 << 20) -> list[Frame]:
        """What the multiplexer sends now."""
        messages = self.mux.messages_to_send(budget, self.now)
        self.messages += messages
        heard: list[Frame] = [
            frame for message in messages for frame in decode_message(message) if not isinstance(frame, HelloFrame)
        ]
        self.frames += heard
        return heard

    def heard(self, kind: type[F]) -> list[F]:
        """All frames of a kind so far."""
        self.hear()
        return [frame for frame in self.frames if isinstance(frame, kind)]

    def told(self, kind: type[E]) -> list[E]:
        """All events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def assert_cut_off(self, code: ErrorCode) -> None:
        """The multiplexer ended the session for that reason, said so once, and is quiet from then on."""
        closed = self.told(SessionClosed)
        assert [(event.by, event.code) for event in closed] == [(Side.US, code)]
        assert closed[0].reason
        assert [frame.code for frame in self.heard(ConnectionCloseFrame)] == [code]
        assert self.hear() == []
        assert self.say(ConnectionCloseFrame(0)) == []
        assert self.mux.handle_timeout(self.now + 100) == []
        assert self.mux.next_timeout() is None
        assert self.mux.open_streams == 0
        assert not self.mux.can_open()
