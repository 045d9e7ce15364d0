"""Every interleaving of both ends, with pauses, cancels, lost links, kills, failing disks and changing sources."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mayfly.config import MIB, FilesConfig
from mayfly.files.records import BLOCK, Entry, Reason
from mayfly.files.states import Outcome
from unit.files.pair import Pair, Source, Target, directory, file

CONFIG = FilesConfig(read_ahead=MIB, max_unstored=2 * MIB, max_unwritten=MIB, files_ahead=2)
SIZES = (0, 1, 70_000, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 300_000)
MOVES = ("send", "arrive", "write", "send_back", "arrive_back", "read")
TROUBLE = (
    *("pause sender", "pause receiver", "resume sender", "resume receiver"),
    *("cancel sender", "cancel receiver", "leave sender", "leave receiver"),
    *("lose", "kill sender", "kill receiver", "disk full", "disk failed", "source fails", "source changes"),
)
PLAIN = (*TROUBLE[:6], "lose", "disk full", "source fails")

single = st.tuples(st.sampled_from(MOVES), st.sampled_from([1, 7, 50_000, 1 << 18, 1 << 20]))
moves = single | st.tuples(st.just("run"), st.integers(1, 60))
attempt = st.tuples(st.lists(moves, max_size=12), st.sampled_from(TROUBLE), st.lists(single, max_size=6))
attempts = st.lists(st.lists(attempt, max_size=3), min_size=1, max_size=4)


def content(index: int, size: int, version: int = 0) -> bytes:
    return (b"%d.%d|" % (index, version) * (size // 4 + 1))[:size]


class World:
    """Source and target over several attempts."""

    def __init__(self, sizes: list[int], target: Target | None = None) -> None:
        self.entries: list[Entry] = [directory(0, "top")]
        self.entries += [file(n, f"top/{n}", size) for n, size in enumerate(sizes, 1)]
        self.version = 0
        self.target = target or Target()
        self.unwritten = 0
        """How often what waited for the disk may have been lost, too: a process was killed, or the disk failed."""
        self.received = 0
        """Bytes of files that the receiver was given, in all attempts."""
        self.sent = 0
        """Bytes of files that went on the link."""
        self.restarted = False

    def contents(self) -> dict[int, bytes]:
        files = self.entries[1:]
        return {entry.index: content(entry.index, entry.size or 0, self.version) for entry in files}

    def attempt(self, script: list[tuple[list[tuple[str, int]], str, list[tuple[str, int]]]]) -> Pair:
        source = Source(self.contents())
        pair = Pair(self.entries, source, self.target, CONFIG)
        for before, trouble, after in script:
            self.move(pair, before)
            self.trouble(pair, source, trouble)
            self.move(pair, after)
        pair.sender.resume()
        pair.receiver.resume()
        pair.settle()
        self.count(pair)
        return pair

    def count(self, pair: Pair) -> None:
        """The bytes of an attempt that is over."""
        self.received += pair.chunk_bytes
        self.sent += pair.sent_bytes

    def move(self, pair: Pair, steps: list[tuple[str, int]]) -> None:
        for name, limit in steps:
            if name in ("arrive", "arrive_back", "run"):
                getattr(pair, name)(limit)
            else:
                getattr(pair, name)()

    def trouble(self, pair: Pair, source: Source, what: str) -> None:
        end = pair.sender if what.endswith("sender") else pair.receiver
        match what.split():
            case ["pause", _]:
                end.pause()
            case ["resume", _]:
                end.resume()
            case ["cancel", _]:
                end.cancel()
            case ["leave", _]:
                end.cancel(Reason.LEAVING)
            case ["lose"]:
                pair.lose_link()
            case ["kill", "sender"]:
                pair.kill_sender()
            case ["kill", _]:
                self.unwritten += 1
                pair.kill_receiver()
            case ["disk", how]:
                self.unwritten += 1
                self.target.failing = Reason.DISK_FULL if how == "full" else Reason.DISK_FAILED
            case ["source", "fails"]:
                source.failing = Reason.SOURCE_FAILED
            case _:
                self.version += 1
                self.restarted = True
                source.contents = self.contents()
                source.changed = True


def check(world: World, pair: Pair) -> None:
    sent, got = pair.outcomes
    assert sent is pair.sender.outcome
    assert got is pair.receiver.outcome
    assert sent is not None
    assert got is not None or pair.receiver in pair.killed, "only a process that was killed says nothing at its end"
    if pair.lost:
        # The receiver's last word, or the sender's CANCEL, may have been on the link.
        assert sent is got or sent is Outcome.INTERRUPTED or got is Outcome.INTERRUPTED or sent is Outcome.CANCELLED
        assert sent is not Outcome.COMPLETED or got is Outcome.COMPLETED
    else:
        assert sent is got
    assert pair.source.closed or pair.sender in pair.killed
    assert pair.target.closed or pair.receiver in pair.killed
    versions = range(world.version + 1)
    for path, data in world.target.final.items():
        index = int(path[-1])
        size = world.entries[index].size
        assert any(data == content(index, size or 0, version) for version in versions), "no mixture of two versions"
    assert got is Outcome.COMPLETED or pair.receiver in pair.killed or not world.target.committed, (
        "in its place is complete"
    )
    if got is Outcome.COMPLETED:
        assert world.target.committed
        assert set(world.target.final) == {entry.path for entry in world.entries[1:]}
        assert pair.receiver.on_disk == sum(entry.size or 0 for entry in world.entries)
    if sent is Outcome.COMPLETED:
        assert pair.sender.on_disk == pair.receiver.on_disk


@settings(max_examples=120, deadline=None)
@given(sizes=st.lists(st.sampled_from(SIZES), min_size=1, max_size=4), scripts=attempts)
def test_both_ends_agree_and_what_is_interrupted_goes_on(
    sizes: list[int], scripts: list[list[tuple[list[tuple[str, int]], str, list[tuple[str, int]]]]]
) -> None:
    world = World(sizes)
    rounds = 0
    for script in [*scripts, []]:
        pair = world.attempt(script)
        check(world, pair)
        rounds += 1
        if Outcome.CANCELLED in pair.outcomes:
            return
        if pair.receiver.outcome is Outcome.COMPLETED:
            break
    assert pair.receiver.outcome is Outcome.COMPLETED, "an attempt without trouble completes"
    again = (rounds - 1) * BLOCK + world.unwritten * CONFIG.max_unwritten
    if not world.restarted:
        assert world.received <= sum(sizes) + again, "of what arrived, less than a block is lost"
        assert world.sent <= sum(sizes) + (rounds - 1) * CONFIG.max_unstored, "at most a chunk is sent again each time"


@pytest.mark.parametrize("order", ["sawbkr", "rrssaaaabbkw", "sabkrwwww"])
@pytest.mark.parametrize("what", TROUBLE)
def test_each_trouble_after_each_step(what: str, order: str) -> None:
    """The script above is random; this one leaves no step out, and looks at both outcomes after going on."""
    steps = 0
    before = -1
    while steps > before:
        world = World([70_000, 2 * BLOCK + 1, 0])
        source = Source(world.contents())
        pair = Pair(world.entries, source, world.target, CONFIG)
        before, steps = steps, pair.run(steps, order) + 1
        world.trouble(pair, source, what)
        pair.sender.resume()
        pair.receiver.resume()
        pair.settle()
        world.count(pair)
        check(world, pair)
        if pair.receiver.outcome is Outcome.COMPLETED:
            continue
        last = world.attempt([])
        check(world, last)
        assert last.outcomes == (Outcome.COMPLETED, Outcome.COMPLETED)
        if not world.restarted and "cancel" not in what:
            assert world.received <= 70_000 + 3 * BLOCK + 1 + world.unwritten * CONFIG.max_unwritten
            assert world.sent <= 70_000 + 2 * BLOCK + 1 + CONFIG.max_unstored


@pytest.mark.parametrize("second", PLAIN)
@pytest.mark.parametrize("first", PLAIN)
def test_any_two_troubles_at_any_two_moments(first: str, second: str) -> None:
    """Exhaustive where the tests above take samples: every pair of troubles, with any number of steps between."""
    length = play([], 200)[1]
    for early in range(length + 1):
        for late in range(early, length + 1):
            pair, steps = play([(early, first), (late, second)], 200)
            if steps < late:
                break  # it was over before the second
            if pair.receiver.outcome is not Outcome.COMPLETED:
                world = World([3, 0], pair.target)
                last = world.attempt([])
                check(world, last)
                assert last.outcomes == (Outcome.COMPLETED, Outcome.COMPLETED)


def play(troubles: list[tuple[int, str]], limit: int) -> tuple[Pair, int]:
    """One attempt at two small files with troubles after so many steps each. Gives how many steps there were before
    the last trouble, or in all."""
    world = World([3, 0])
    source = Source(world.contents())
    pair = Pair(world.entries, source, world.target, CONFIG)
    taken = 0
    for at, what in troubles:
        taken += pair.run(at - taken)
        world.trouble(pair, source, what)
    if not troubles:
        taken = pair.run(limit)
    pair.sender.resume()
    pair.receiver.resume()
    pair.settle()
    check(world, pair)
    return pair, taken
