"""What a hostile peer can make this process hold, and how long it can keep it busy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mayfly.config import KIB, MuxConfig
from mayfly.wire import frames as f
from support.costs import assert_linear, grown
from support.raw_peer import SMALL, RawPeer


def _pieces_with_gaps(peer: RawPeer, size: int) -> None:
    for stream_id in range(0, 2 * SMALL.max_streams, 2):
        for start in range(1, SMALL.initial_stream_window - 3 * size, 100 * size):
            pieces = range(start, min(start + 100 * size, SMALL.initial_stream_window - 2 * size), 2 * size)
            peer.say(*(f.StreamFrame(stream_id, offset, bytes(size)) for offset in pieces))
            if peer.mux.closed:
                return


def _all_that_credit_allows(peer: RawPeer) -> None:
    for stream_id in range(0, 2 * SMALL.max_streams, 2):
        for offset in range(0, SMALL.initial_stream_window, 4096):
            peer.say(f.StreamFrame(stream_id, offset, bytes(4096)))
            if peer.mux.closed:
                return


def _drops_in_order(peer: RawPeer) -> None:
    for stream_id in range(0, 8, 2):
        for offset in range(0, SMALL.initial_stream_window, 500):
            peer.say(*(f.StreamFrame(stream_id, offset + n, b"x") for n in range(500)))
            peer.events.clear()
            if peer.mux.closed:
                return


def _open_and_reset(peer: RawPeer) -> None:
    """Without ever giving credit, and with an application here that answers."""
    limit = SMALL.max_streams
    for number in range(2_000):
        if number >= limit:
            limit = peer.heard(f.MaxStreamsFrame)[-1].limit
            peer.frames.clear()
            peer.messages.clear()
        peer.say(f.StreamFrame(2 * number, 0, b"header"))
        peer.mux.write(2 * number, b"answer")
        peer.hear()
        peer.say(f.ResetStreamFrame(2 * number, 0, 6), f.StopSendingFrame(2 * number, 0))
        peer.hear()
        peer.events.clear()
    assert peer.mux.open_streams == 0


def _floods(peer: RawPeer) -> None:
    frames: list[Callable[[int], f.Frame]] = [
        lambda n: f.PingFrame(n.to_bytes(8, "big")),
        lambda n: f.PongFrame(n.to_bytes(8, "big")),
        f.MaxDataFrame,
        f.MaxStreamsFrame,
        lambda n: f.MaxStreamDataFrame(0, n, n),
        f.DataBlockedFrame,
        lambda n: f.StreamDataBlockedFrame(0, n),
        lambda n: f.DatagramFrame(0, bytes(20)),
        lambda n: f.GoAwayFrame(n, b"reason"),
        lambda n: f.StopSendingFrame(0, n),
        lambda n: f.StreamFrame(0, 0, b""),
    ]
    for make in frames:
        for start in range(0, 3_000, 200):
            peer.say(*(make(n) for n in range(start, start + 200)))
            peer.events.clear()


def _early_messages(peer: RawPeer) -> None:
    while not peer.mux.closed:
        peer.say(f.StreamFrame(0, 0, bytes(10)))


ATTACKS: dict[str, tuple[bool, Callable[[RawPeer], None]]] = {
    "single bytes with gaps": (True, lambda peer: _pieces_with_gaps(peer, 1)),
    "small pieces with gaps": (True, lambda peer: _pieces_with_gaps(peer, 40)),
    "all that credit allows": (True, _all_that_credit_allows),
    "single bytes in order": (True, _drops_in_order),
    "open and reset": (True, _open_and_reset),
    "floods": (True, _floods),
    "early messages": (False, _early_messages),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_memory_stays_within_what_the_config_states(attack: str) -> None:
    hello, act = ATTACKS[attack]
    peer = RawPeer(SMALL, hello=hello, max_data=100)
    left, peak = grown(lambda: act(peer))
    assert peak <= SMALL.worst_case_memory
    assert left <= 100 * KIB or attack not in ("open and reset", "floods")  # nothing of these may stay


def test_an_idle_stream_costs_what_the_config_says() -> None:
    config = replace(SMALL, max_streams=1000)
    peer = RawPeer(config)
    left, _ = grown(lambda: [peer.say(f.StreamFrame(2 * n, 0, b"h")) for n in range(1000)])
    assert left < 1000 * 3 * KIB


def test_credit_that_cannot_leave_does_not_pile_up() -> None:
    """The peer takes nothing from the channel and sends on, guessing at credit that it was never told of."""
    peer = RawPeer(SMALL)
    peer.hear()
    sent = 0
    for number in range(SMALL.max_streams):
        for _ in range(20):
            chunk = SMALL.initial_stream_window // 20
            peer.say(f.StreamFrame(2 * number, sent % (20 * chunk), bytes(chunk)))
            sent += chunk
            peer.mux.read(2 * number, chunk, peer.now)
    assert peer.mux.closed is None
    heard = peer.hear()
    assert len([frame for frame in heard if isinstance(frame, f.MaxDataFrame)]) == 1
    assert len([frame for frame in heard if isinstance(frame, f.MaxStreamDataFrame)]) == SMALL.max_streams


def _backwards(peer: RawPeer, n: int) -> None:
    for offset in range(n, 0, -100):
        peer.say(*(f.StreamFrame(0, offset - k, b"x") for k in range(100)))


def _overlapping(peer: RawPeer, n: int) -> None:
    for offset in range(1, n, 20):
        peer.say(f.StreamFrame(0, offset, bytes(1000)), f.StreamFrame(0, offset // 2 + 1, bytes(1000)))


@pytest.mark.parametrize("attack", [_backwards, _overlapping])
def test_backwards_and_overlapping_pieces_take_no_quadratic_time(attack: Callable[[RawPeer, int], None]) -> None:
    def act(n: int) -> None:
        peer = RawPeer(replace(MuxConfig(), max_gaps=1 << 30))
        attack(peer, n)
        assert peer.mux.closed is None

    assert_linear(act, 1_500)
