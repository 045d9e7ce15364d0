"""HELLO says what the configuration sets, and nothing that could link two sessions."""

from __future__ import annotations

from mayfly.config import MuxConfig
from mayfly.runtime.introduction import LocalHello, PeerHello, heard, own_hello
from mayfly.wire.hello import Hello, Role


def test_limits_are_those_of_the_configuration() -> None:
    config = MuxConfig(max_streams=7, initial_connection_window=3_000_000)
    hello = own_hello(config, LocalHello(role=Role.CLIENT))
    assert hello.max_streams == 7
    assert hello.max_data == 3_000_000
    assert hello.max_stream_data == config.initial_stream_window
    assert hello.max_message == config.max_receive_message
    assert hello.max_datagram == config.max_datagram


def test_it_survives_the_wire() -> None:
    hello = own_hello(MuxConfig(), LocalHello(role=Role.RELAY, policy="web only", lifetime=59.9))
    assert heard(Hello.decode(hello.encode()), MuxConfig()) == PeerHello(
        role=Role.RELAY, policy="web only", lifetime=59
    )


def test_a_lifetime_beyond_reason_is_cut() -> None:
    hello = own_hello(MuxConfig(), LocalHello(role=Role.RELAY, lifetime=2.0**61))
    assert heard(hello, MuxConfig()).lifetime == MuxConfig().max_span


def test_a_lifetime_that_is_over_is_zero() -> None:
    assert own_hello(MuxConfig(), LocalHello(role=Role.RELAY, lifetime=-3)).lifetime == 0


def test_every_session_has_its_own_identifier() -> None:
    local = LocalHello(role=Role.CLIENT)
    assert own_hello(MuxConfig(), local).session_id != own_hello(MuxConfig(), local).session_id
