"""Whole sessions under random scripts, with reordering, delay and small windows: what must always hold."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from mayfly.config import KIB, MIB, MuxConfig
from mayfly.errors import ErrorCode
from mayfly.mux.events import Priority, SessionClosed, Side
from support.pair import Pair, Path
from support.traffic import Half, Script, Traffic

SMALL = MuxConfig(
    usual_message=1200,
    max_message=1200,
    max_receive_message=4 * KIB,
    initial_connection_window=24 * KIB,
    max_connection_window=96 * KIB,
    initial_stream_window=4 * KIB,
    max_stream_window=32 * KIB,
    max_streams=6,
    send_buffer=8 * KIB,
    max_datagram=1000,
    interactive_bytes=8 * KIB,
    fairness_bytes=16 * KIB,
)
SMALLER_MESSAGES = replace(SMALL, max_message=3000)


def _affordable(half: Half) -> Half:
    """Single bytes are slow to write: fewer of them."""
    return half if half.chunk > 7 and half.read > 13 else replace(half, size=half.size % 3000)


halves = st.builds(
    Half,
    size=st.integers(0, 200) | st.integers(0, 40_000),
    chunk=st.sampled_from([1, 7, 1000, 65536]),
    reset=st.sampled_from([False, False, False, True]),
    read=st.sampled_from([1, 13, 999, 65536]),
    stop_after=st.none() | st.none() | st.integers(0, 20_000),
).map(_affordable)
scripts = st.lists(
    st.builds(
        Script,
        opener=st.integers(0, 1),
        start=st.floats(0, 0.2),
        priority=st.sampled_from(list(Priority)),
        there=halves,
        back=halves,
    ),
    max_size=16,
)
paths = st.builds(
    Path,
    latency=st.sampled_from([0.0, 0.001, 0.05]),
    jitter=st.sampled_from([0.0, 0.02, 0.5]),
    bandwidth=st.sampled_from([None, 200_000.0]),
    high_water=st.sampled_from([1, 1200, 16 * KIB, 256 * KIB]),
)
seeds = st.integers(0, 2**32)


def assert_nothing_leaked(pair: Pair, opener: int) -> None:
    """Credit for bytes and streams is all there: far more of both passes than could without it coming back."""
    one = Script(opener=opener, there=Half(size=3 * SMALL.max_connection_window), back=Half(size=5))
    many = [Script(opener=opener, there=Half(size=7), back=Half(size=8)) for _ in range(3 * SMALL.max_streams)]
    traffic = Traffic(pair, [one, *many], first=[end.opened for end in pair.ends])
    pair.settle()
    traffic.check()


@settings(deadline=None, max_examples=100)
@given(scripts=scripts, path=paths, back=paths, seed=seeds)
def test_nothing_is_lost_doubled_or_leaked(scripts: list[Script], path: Path, back: Path, seed: int) -> None:
    pair = Pair(SMALL, SMALLER_MESSAGES, path=path, back=back, seed=seed).connect()
    traffic = Traffic(pair, scripts)
    pair.settle()
    traffic.check()
    assert_nothing_leaked(pair, seed % 2)


@settings(deadline=None, max_examples=60)
@given(scripts=scripts, path=paths, seed=seeds)
def test_even_messages_that_overtake_hello_count(scripts: list[Script], path: Path, seed: int) -> None:
    pair = Pair(SMALL, path=path, back=replace(path, jitter=1.0), seed=seed)
    traffic = Traffic(pair, scripts, when_connected=True)
    pair.settle()
    traffic.check()


@settings(deadline=None, max_examples=60)
@given(scripts=scripts, path=paths, seed=seeds, when=st.floats(0, 0.5))
def test_a_lost_link_ends_both_at_any_moment(scripts: list[Script], path: Path, seed: int, when: float) -> None:
    pair = Pair(SMALL, path=path, seed=seed)
    Traffic(pair, scripts, when_connected=True)  # which holds each byte that is read against its source
    pair.at(pair.now + when, pair.cut)
    pair.settle()
    for end in pair.ends:
        assert end.seen(SessionClosed) == [SessionClosed(Side.LINK, ErrorCode.NO_ERROR, "the link is gone")]
        assert end.mux.open_streams == 0
        assert end.mux.messages_to_send(1 << 20, pair.now) == []
        assert end.mux.next_timeout() is None


@settings(deadline=None, max_examples=25)
@given(data=st.data(), path=paths, seed=seeds)
def test_stalled_readers_stall_themselves_alone(data: st.DataObject, path: Path, seed: int) -> None:
    stalled = [
        Script(
            opener=data.draw(st.integers(0, 1)),
            priority=data.draw(st.sampled_from(list(Priority))),
            there=Half(size=100 * KIB, stalled=True),
        )
        for _ in range(data.draw(st.integers(1, 3)))
    ]
    others = data.draw(scripts)
    pair = Pair(replace(SMALL, max_streams=20), path=path, seed=seed).connect()
    traffic = Traffic(pair, [*stalled, *others])
    pair.settle()
    for script in others:
        for number in (0, 1):
            traffic.actor(number, script).check()
    for script in stalled:
        assert not traffic.actor(1 - script.opener, script).ended
    traffic.release()
    pair.settle()
    traffic.check()


def test_grown_streams_that_stall_leave_room_for_the_others() -> None:
    """Readers that were fast, and made their windows grow, and then stop, all at once."""
    config = replace(MuxConfig(), max_connection_window=8 * MIB, max_stream_window=2 * MIB)
    path = Path(latency=0.05, bandwidth=50e6)
    pair = Pair(config, path=path).connect()
    grown = [Script(there=Half(size=24 * MIB, stall_after=8 * MIB)) for _ in range(5)]
    late = [Script(start=3.0, there=Half(size=512 * KIB), back=Half(size=512 * KIB)) for _ in range(20)]
    traffic = Traffic(pair, [*grown, *late])
    pair.settle()
    assert pair.b.mux.unread > 2 * MIB, "the windows did not grow"
    assert pair.b.mux.unread <= config.max_connection_window
    for script in late:
        for number in (0, 1):
            traffic.actor(number, script).check()
    traffic.release()
    pair.settle()
    traffic.check()


def test_windows_grow_to_the_path() -> None:
    """100 ms there and back at 20 MB/s needs 2 MB in flight; 256 KiB, where a window starts, would give 2.6 MB/s."""
    path = Path(latency=0.05, bandwidth=20e6)
    pair = Pair(path=path).connect()
    start = pair.now
    script = Script(there=Half(size=40_000_000))
    idle = [Script(there=Half(size=1), back=Half(size=1, stalled=True)) for _ in range(200)]
    traffic = Traffic(pair, [*idle, script])
    pair.settle()
    assert traffic.actor(1, script).ended_at - start < 4.0
    traffic.release()
    pair.settle()
    traffic.check()


def test_what_closed_streams_had_grown_by_is_there_for_others() -> None:
    config = replace(MuxConfig(), max_connection_window=4 * MIB, max_stream_window=2 * MIB)
    pair = Pair(config, path=Path(latency=0.05, bandwidth=20e6)).connect()
    start = pair.now
    downloads = [Script(start=3.0 * number, there=Half(size=10_000_000)) for number in range(6)]
    traffic = Traffic(pair, downloads)
    pair.settle()
    traffic.check()
    assert max(traffic.actor(1, script).ended_at - start - script.start for script in downloads) < 2.0


def test_no_stream_starves() -> None:
    """Twenty downloads of one size through a narrow path end close together."""
    pair = Pair(path=Path(latency=0.02, bandwidth=2e6, high_water=32 * KIB))
    start = pair.now
    equal = [Script(there=Half(size=200_000)) for _ in range(20)]
    traffic = Traffic(pair, equal, when_connected=True)
    pair.settle()
    traffic.check()
    ends = [traffic.actor(1, script).ended_at - start for script in equal]
    assert min(ends) > 0.85 * max(ends)


def test_bulk_goes_on_while_chat_is_flooded() -> None:
    pair = Pair(path=Path(latency=0.02, bandwidth=2e6)).connect()
    start = pair.now
    flood = Script(priority=Priority.CHAT, there=Half(size=20_000_000))
    bulk = Script(priority=Priority.BULK, there=Half(size=200_000))
    traffic = Traffic(pair, [flood, bulk])
    pair.settle()
    traffic.check()
    assert traffic.actor(1, bulk).ended_at - start < 4.0  # the flood alone takes ten seconds


def test_a_keystroke_does_not_wait_for_a_download() -> None:
    path = Path(latency=0.01, bandwidth=2e6, high_water=32 * KIB)
    pair = Pair(path=path).connect()
    start = pair.now
    download = Script(there=Half(size=10_000_000))
    keystrokes = [Script(start=1 + n / 10, there=Half(size=20)) for n in range(20)]
    traffic = Traffic(pair, [download, *keystrokes])
    pair.settle()
    traffic.check()
    waits = [traffic.actor(1, script).ended_at - start - script.start for script in keystrokes]
    taken = path.high_water + 2 * MuxConfig().usual_message  # with the message that filled it, and one under way
    assert taken == 64 * KIB  # so that long messages would be seen
    assert max(waits) < 0.01 + taken / 2e6


def test_a_thousand_streams_are_no_cliff() -> None:
    pair = Pair(path=Path(latency=0.01)).connect()
    scripts = [Script(opener=n % 2, there=Half(size=3000), back=Half(size=3000)) for n in range(2000)]
    traffic = Traffic(pair, scripts)
    pair.settle()
    traffic.check()
